import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Resend extends BaseCommand {
  static override summary = 'Make the few MiBs that a site asks for by code';
  static override description = `deliver verify on site prints the code of what it needs; read it over the phone.
This writes a patch volume with exactly those MiBs. A mistyped code is caught.`;
  static override examples = ['<%= config.bin %> resend bundles/suite-3.6.2.tar K7QF-2M9X-04HD-RC3A'];
  static override args = {
    bundle: Args.string({ required: true, description: 'bundle file (.tar), or folder with its volumes' }),
    code: Args.string({ required: true, description: 'the code, with or without dashes' }),
  };
  static override flags = {
    output: Flags.string({
      char: 'o',
      helpValue: 'DIR',
      description: 'folder for the patch volume (default: beside the bundle)',
    }),
    carry: Flags.string({ helpValue: 'DIR', description: 'folder of the carry manifest (default: beside the bundle)' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Resend);
    const { composeResend } = await import('../cli/compose-carry.ts');
    const { viewResend } = await import('../cli/views/carry.ts');
    const wish = { path: args.bundle, code: args.code, output: flags.output, carry: flags.carry };
    const result = await this.runFlow(composeResend(wish));
    this.showResult(result, (shown) => viewResend(shown, this.output.style));
  }
}
