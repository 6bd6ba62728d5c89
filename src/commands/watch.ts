import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { allowUnsignedFlag, thresholdFlag, trustFlag } from '../cli/shared-flags.ts';

export default class Watch extends BaseCommand {
  static override summary = 'Take in what a gateway delivers: verify, report, install';
  static override description = `Waits until a bundle or a carry set in the folder is whole and no longer changes, verifies it
and moves it to done/ or quarantine/ with a report beside it. With --install it is installed first.
A damaged carry set is mended in place from parity and patches; where they are not enough it waits
for what its resend code brings. One at a time; unfinished and foreign files are never touched.
It remembers nothing, so that it goes on after any restart. Runs until Ctrl-C, its good end (exit 0).`;
  static override examples = [
    '<%= config.bin %> watch /srv/inbox --trust release.pub',
    {
      description: 'Install what arrives, with the keys that the site file trusts',
      command: '<%= config.bin %> watch /srv/inbox --site plant-7.yaml --install',
    },
  ];
  static override args = {
    folder: Args.string({ required: true, description: 'folder in which the gateway puts what arrives' }),
  };
  static override flags = {
    trust: trustFlag,
    threshold: thresholdFlag,
    'allow-unsigned': allowUnsignedFlag,
    site: Flags.string({
      helpValue: 'FILE',
      description: 'site file (YAML); its trust: counts',
      exclusive: ['trust', 'threshold'],
    }),
    install: Flags.boolean({ description: 'install what is whole and trusted, without asking', dependsOn: ['site'] }),
    done: Flags.string({ helpValue: 'DIR', description: 'where good deliveries go (default: FOLDER/done)' }),
    quarantine: Flags.string({ helpValue: 'DIR', description: 'where refused ones go (default: FOLDER/quarantine)' }),
    once: Flags.boolean({ description: 'end when nothing is left to do' }),
    settle: Flags.string({ default: '10s', helpValue: 'TIME', description: 'a file without a change for this long is finished' }),
    patience: Flags.string({
      default: '10m',
      helpValue: 'TIME',
      description: 'nothing came for this long: missing volumes are rebuilt from parity, or asked for',
    }),
    poll: Flags.string({ default: '2s', helpValue: 'TIME', description: 'time between two looks' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Watch);
    const { composeWatch } = await import('../cli/compose-watch.ts');
    const { viewWatch } = await import('../cli/views/watch.ts');
    const result = await this.runLog(await composeWatch(args.folder, flags));
    this.showResult(result, (shown) => viewWatch(shown, this.output));
  }
}
