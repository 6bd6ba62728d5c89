import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Publish extends BaseCommand {
  static override summary = 'Send a bundle or a carry set to an S3 bucket';
  static override description = `Sends in parts, several at once, with a checksum for each; what arrives is compared with
what was sent. Killed half way, the same command goes on and sends no finished part twice.
With --pool only the blobs that other releases did not bring before are sent.`;
  static override examples = [
    '<%= config.bin %> publish bundles/gatekeeper-suite-3.6.2.tar s3://releases/stable',
    {
      description: 'A store of your own',
      command: '<%= config.bin %> publish carry/ "s3://releases/carry?endpoint=https://minio.corp.example"',
    },
    {
      description: 'Share blobs between releases',
      command: '<%= config.bin %> publish --pool bundles/gatekeeper-suite-3.6.2.tar s3://releases/pool',
    },
  ];
  static override args = {
    path: Args.string({ required: true, description: 'bundle file (.tar), or a folder whose files are sent' }),
    to: Args.string({ required: true, description: 's3://BUCKET/PREFIX[?endpoint=URL&region=REGION]' }),
  };
  static override flags = {
    pool: Flags.boolean({ description: 'keep blobs by digest, so that releases share them' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Publish);
    const { composePublish, composePublishPool } = await import('../cli/compose-store.ts');
    const { viewPublish, viewPublishPool } = await import('../cli/views/store.ts');
    const { style } = this.output;
    if (flags.pool) {
      const result = await this.runFlow(composePublishPool(args.path, args.to));
      this.showResult(result, (shown) => viewPublishPool(shown, style));
    } else {
      const result = await this.runFlow(composePublish(args.path, args.to));
      this.showResult(result, (shown) => viewPublish(shown, style));
    }
  }
}
