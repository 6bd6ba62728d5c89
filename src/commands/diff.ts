import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Diff extends BaseCommand {
  static override summary = 'Show what differs between two releases, and what it costs to carry';
  static override description = `Compares two locks, bundles or receipts: images, charts and files that came, went or changed, and
the size of the delta between them. Reads no blob and needs no network.
Of a receipt, the lock or bundle that it names has to be beside it or the other, or in bundles/.`;
  static override examples = [
    '<%= config.bin %> diff bundles/gatekeeper-suite-3.6.1.tar manifests/gatekeeper-suite.lock.yaml',
    {
      description: 'The images that are new, for a script',
      command:
        '<%= config.bin %> diff old.lock.yaml new.lock.yaml --json | jq -r \'.images[] | select(.change == "added") | .name\'',
    },
  ];
  static override args = {
    before: Args.string({ required: true, description: 'lock, bundle or receipt of the earlier release' }),
    after: Args.string({ required: true, description: 'lock, bundle or receipt of the later release' }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Diff);
    const { composeDiff } = await import('../cli/compose-bundle.ts');
    const { viewDiff } = await import('../cli/views/diff.ts');
    const result = await composeDiff(args);
    this.showDocument(result, (shown) => viewDiff(shown, this.output));
  }
}
