import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { allowUnsignedFlag, bundleArg, thresholdFlag, trustFlag } from '../cli/shared-flags.ts';

export default class Push extends BaseCommand {
  static override summary = 'Send the images of a bundle to a registry, and nothing else';
  static override description = `For Harbor (projects are made when missing) or any other OCI registry. Images keep their
digests and their source host in the path: quay.io/a/b becomes HOST/quay.io/a/b.
What is already there is not sent again.`;
  static override examples = [
    '<%= config.bin %> push bundles/suite-3.6.2.tar --to harbor.plant7 --username admin --password-stdin < password',
    {
      description: 'Everything below one project',
      command: '<%= config.bin %> push bundles/suite-3.6.2.tar --to harbor.plant7/mirror --ca ca.crt --trust release.pub',
    },
  ];
  static override args = { bundle: bundleArg };
  static override flags = {
    to: Flags.string({
      required: true,
      helpValue: 'HOST[/PROJECT]',
      description: 'registry, and a project to put everything below',
    }),
    username: Flags.string({ helpValue: 'NAME', description: 'registry account; without it the docker config is used' }),
    'password-stdin': Flags.boolean({ description: 'read the password from standard input', dependsOn: ['username'] }),
    ca: Flags.string({ helpValue: 'FILE', description: 'PEM file of a private certificate authority' }),
    'plain-http': Flags.boolean({ description: 'speak HTTP without TLS (loopback registries do by themselves)' }),
    trust: trustFlag,
    threshold: thresholdFlag,
    'allow-unsigned': allowUnsignedFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Push);
    const { composePush } = await import('../cli/compose.ts');
    const { viewPush } = await import('../cli/views/push.ts');
    const result = await this.runFlow(await composePush({ bundle: args.bundle, flags }));
    this.showResult(result, (shown) => viewPush(shown, flags.to, this.output.style));
  }
}
