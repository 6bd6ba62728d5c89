import { BaseCommand } from '../cli/base-command.ts';
import { bundleArg } from '../cli/shared-flags.ts';

export default class Inspect extends BaseCommand {
  static override summary = 'Show what is in a bundle, and how big';
  static override description = 'Reads the lock and the table of contents in place; nothing is unpacked, no blob is read.';
  static override examples = [
    '<%= config.bin %> inspect bundles/gatekeeper-suite-3.6.2.tar',
    {
      description: 'The images and their digests',
      command:
        '<%= config.bin %> inspect bundles/gatekeeper-suite-3.6.2.tar --json | jq -r \'.images[] | .reference + " " + .digest\'',
    },
  ];
  static override args = { bundle: bundleArg };

  override async run(): Promise<void> {
    const { args } = await this.parse(Inspect);
    const { composeInspect } = await import('../cli/compose-bundle.ts');
    const { viewInspect } = await import('../cli/view-inspect.ts');
    const result = await composeInspect({ bundle: args.bundle });
    this.showDocument(result, (shown) => viewInspect(shown, this.output));
  }
}
