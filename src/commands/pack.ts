import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { releaseArg } from '../cli/shared-flags.ts';
import { volumeFlags } from '../cli/volume-flags.ts';

export default class Pack extends BaseCommand {
  static override summary = 'Put a whole release into one file';
  static override description = `Downloads everything that the lock names straight to its place in the bundle, checks
every digest on the way, and signs the result. The same lock always gives the same bytes.
Killed half way, the same command goes on and downloads nothing twice. What an earlier
bundle in the output folder holds is copied from there. With --volume-size or --profile it is
written straight into the volumes of a carry set, without a bundle before.`;
  static override examples = [
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --sign-key ~/.ssh/release',
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --output /media/usb',
    {
      description: 'Straight into a bucket, without a copy here',
      command: '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --output s3://releases/stable',
    },
    {
      description: 'Only what a site with 3.6.1 lacks',
      command: '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --since bundles/gatekeeper-suite-3.6.1.tar',
    },
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --profile fat32 --parity 1',
  ];
  static override args = { release: releaseArg };
  static override flags = {
    ...volumeFlags,
    output: Flags.string({
      char: 'o',
      default: 'bundles',
      helpValue: 'DIR|s3://…',
      description: 'folder or bucket to write the bundle into',
    }),
    'sign-key': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY',
      description:
        'OpenSSH ed25519 private key to sign with, or .pub file of one that ssh-agent holds; may be given several times',
    }),
    since: Flags.string({
      helpValue: 'RECEIPT|LOCK|BUNDLE',
      description: 'what the site has already: write a delta that leaves it out',
    }),
    reuse: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'BUNDLE',
      description: 'earlier bundle to copy blobs from, besides those in the output folder; may be given several times',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Pack);
    const { composePack } = await import('../cli/compose.ts');
    const { viewPack } = await import('../cli/views/pack.ts');
    const { volumeOptions, wantsVolumes } = await import('../cli/volume-options.ts');
    const flow = await composePack({
      release: args.release,
      output: flags.output,
      since: flags.since,
      reuse: flags.reuse,
      signKeys: flags['sign-key'] ?? [],
      volumes: wantsVolumes(flags) ? volumeOptions(flags) : undefined,
    });
    const result = await this.runFlow(flow);
    this.showResult(result, (shown) => viewPack(shown, this.output.style));
  }
}
