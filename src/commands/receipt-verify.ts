import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class ReceiptVerify extends BaseCommand {
  static override summary = 'Check receipts of a site and that they are one chain';
  static override description = `Every receipt has to be signed by the site's key and to follow the one before it: one that was
changed, left out, put elsewhere or written beside the chain is refused (exit 4). Takes files and
typed text, in the order in which they were written.`;
  static override examples = ['<%= config.bin %> receipt verify receipts/plant-7-*.receipt.json --trust plant-7.pub'];
  static override strict = false;
  static override args = {
    file: Args.string({ required: true, description: 'receipt file or typed text; may be several, in their order' }),
  };
  static override flags = {
    trust: Flags.string({
      required: true,
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'SITEKEY.pub',
      description: 'public key of the site; may be given several times',
    }),
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(ReceiptVerify);
    const { composeVerifyReceipts } = await import('../cli/compose-receipt.ts');
    const { viewReceipts } = await import('../cli/views/receipt.ts');
    const result = await composeVerifyReceipts(argv.map(String), flags.trust);
    this.showDocument(result, (shown) => viewReceipts(shown, this.output.style));
  }
}
