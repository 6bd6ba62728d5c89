import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Gc extends BaseCommand {
  static override summary = 'Delete from an S3 pool what no published release needs';
  static override description = `Two runs: the first marks blobs that no lock of the pool needs, one after the window
deletes them. What a running publish needs is never touched.`;
  static override examples = [
    { description: 'Only say what would be deleted', command: '<%= config.bin %> gc s3://releases/pool --dry-run' },
    '<%= config.bin %> gc s3://releases/pool',
  ];
  static override args = {
    pool: Args.string({ required: true, description: 's3://BUCKET/PREFIX[?endpoint=URL&region=REGION]' }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ description: 'change nothing, only say what would be deleted' }),
    'window-hours': Flags.integer({
      default: 24,
      min: 1,
      helpValue: 'N',
      description: 'how long a blob must have been there, and marked, before it is deleted; 24 when not given',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Gc);
    const { composeCollect } = await import('../cli/compose-store.ts');
    const { viewCollect } = await import('../cli/views/store.ts');
    const wish = { hours: flags['window-hours'], dryRun: flags['dry-run'] };
    const result = await this.runFlow(composeCollect(args.pool, wish));
    this.showResult(result, (shown) => viewCollect(shown, this.output.style));
  }
}
