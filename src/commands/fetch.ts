import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Fetch extends BaseCommand {
  static override summary = 'Bring a bundle or a carry set from an S3 bucket';
  static override description = `Reads several ranges at once, each straight to its place. A file gets its name only when it
is whole and what its publisher promised. Killed half way, the same command goes on and
fetches no finished range twice.
With --pool the bundle is made again from the lock and the blobs of a pool, byte for byte.`;
  static override examples = [
    '<%= config.bin %> fetch s3://releases/stable/gatekeeper-suite-3.6.2.tar bundles',
    {
      description: 'Everything directly below a prefix',
      command: '<%= config.bin %> fetch s3://releases/carry /media/usb',
    },
    {
      description: 'From a pool, by name and version',
      command: '<%= config.bin %> fetch --pool s3://releases/pool/gatekeeper-suite-3.6.2 bundles',
    },
  ];
  static override args = {
    from: Args.string({ required: true, description: 's3://BUCKET/KEY[?endpoint=URL&region=REGION]' }),
    folder: Args.string({ required: true, description: 'folder to write into; made when missing' }),
  };
  static override flags = {
    pool: Flags.boolean({ description: 'the address is that of a pool, with /NAME-VERSION behind it' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Fetch);
    const { composeFetch, composeFetchPool } = await import('../cli/compose-store.ts');
    const { viewFetch, viewFetchPool } = await import('../cli/views/store.ts');
    const { style } = this.output;
    if (flags.pool) {
      const result = await this.runFlow(composeFetchPool(args.from, args.folder));
      this.showResult(result, (shown) => viewFetchPool(shown, style));
    } else {
      const result = await this.runFlow(composeFetch(args.from, args.folder));
      this.showResult(result, (shown) => viewFetch(shown, style));
    }
  }
}
