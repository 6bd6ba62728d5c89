import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { allowUnsignedFlag, bundleArg, thresholdFlag, trustFlag } from '../cli/shared-flags.ts';

export default class Serve extends BaseCommand {
  static override summary = 'Let nodes and tools pull from a bundle, as from a registry';
  static override description = `A read-only OCI registry straight from the file: nothing is unpacked, every blob is
verified while it is sent. Images are below their source host (docker.io/library/busybox),
charts below charts/, files below files/. Runs until Ctrl-C, which is its good end (exit 0).`;
  static override examples = [
    '<%= config.bin %> serve bundles/suite-3.6.2.tar --trust release.pub',
    {
      description: 'For the nodes of a site',
      command: '<%= config.bin %> serve suite.tar --listen :5000 --tls-cert c.pem --tls-key k.pem --trust release.pub',
    },
  ];
  static override args = { bundle: bundleArg };
  static override flags = {
    listen: Flags.string({
      default: '127.0.0.1:5000',
      helpValue: 'HOST:PORT',
      description: 'where to listen; :5000 is every address of this machine, port 0 any free port',
    }),
    'tls-cert': Flags.string({ helpValue: 'FILE', description: 'PEM certificate, with its chain' }),
    'tls-key': Flags.string({ helpValue: 'FILE', description: 'PEM key of the certificate' }),
    trust: trustFlag,
    threshold: thresholdFlag,
    'allow-unsigned': allowUnsignedFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Serve);
    const { composeServe } = await import('../cli/compose-serve.ts');
    const { viewServe } = await import('../cli/views/serve.ts');
    const result = await this.runLog(await composeServe({ bundle: args.bundle, flags }));
    this.showResult(result, (shown) => viewServe(shown, this.output.style));
  }
}
