import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { siteFlag } from '../cli/shared-flags.ts';

export default class Receipt extends BaseCommand {
  static override summary = 'Sign what a site has: the base of the next delta';
  static override description = `Reads what is installed from the cluster, signs it with the site's key and chains it to the
receipt before, which the cluster keeps. Bring the file back, scan its codes, or read the text
aloud, and give it to deliver pack --since. Asked again, the same receipt is given until something changes.`;
  static override examples = [
    '<%= config.bin %> receipt --site plant-7.yaml --key ~/.ssh/plant-7',
    {
      description: 'With every digest, for a packager who keeps neither locks nor bundles',
      command: '<%= config.bin %> receipt --site plant-7.yaml --key ~/.ssh/plant-7 --full suite-3.6.2.tar',
    },
  ];
  static override flags = {
    site: siteFlag,
    key: Flags.string({
      required: true,
      helpValue: 'KEY',
      description: 'the site’s OpenSSH ed25519 private key (deliver keygen), or .pub file of one that ssh-agent holds',
    }),
    out: Flags.string({ helpValue: 'FILE', description: 'file to write (default: SITE-VERSION.receipt.json here)' }),
    text: Flags.boolean({ description: 'also print it as lines that can be read aloud and typed' }),
    qr: Flags.boolean({ description: 'also show it as QR codes that fit 80 columns' }),
    'qr-file': Flags.string({ helpValue: 'FILE', description: 'also write it as a QR code to print (.svg or .png)' }),
    full: Flags.string({
      helpValue: 'LOCK|BUNDLE',
      description: 'list every digest of the installed release, as this file names them',
    }),
    release: Flags.string({
      helpValue: 'NAME',
      description: 'release that the next delta builds on (default: the one installed last)',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Receipt);
    const { composeReceipt } = await import('../cli/compose-receipt.ts');
    const { viewReceipt } = await import('../cli/views/receipt.ts');
    const result = await this.runFlow(await composeReceipt(flags));
    this.showResult(result, (shown) => viewReceipt(shown, this.output.style, flags));
  }
}
