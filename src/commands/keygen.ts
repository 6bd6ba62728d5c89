import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Keygen extends BaseCommand {
  static override summary = 'Make a key to sign releases with';
  static override description = `An ed25519 key pair as ssh-keygen writes it: FILE (only you may read it) and FILE.pub. At a
terminal a passphrase is asked for. A file that is there is never overwritten.`;
  static override examples = ['<%= config.bin %> keygen ~/.ssh/release --comment release@corp'];
  static override args = { file: Args.string({ required: true, description: 'where to write the private key' }) };
  static override flags = {
    comment: Flags.string({ default: '', helpValue: 'TEXT', description: 'name that signatures by this key are shown with' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Keygen);
    const { composeKeygen } = await import('../cli/compose-sign.ts');
    const { viewKeygen } = await import('../cli/views/sign.ts');
    const result = await composeKeygen({ path: args.file, comment: flags.comment });
    this.showDocument(result, (shown) => viewKeygen(shown, this.output.style));
  }
}
