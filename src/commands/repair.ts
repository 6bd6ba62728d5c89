import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class Repair extends BaseCommand {
  static override summary = 'Mend damaged and missing volumes of a carry set';
  static override description = `Rebuilds them from parity and patch volumes, byte for byte, in the folder itself.
When not everything can be mended nothing is changed, and it says what is needed.
Interrupted, the same command does the rest.`;
  static override examples = ['<%= config.bin %> repair /srv/inbox/suite-3.6.2.carry'];
  static override args = { folder: Args.string({ required: true, description: 'folder with the volumes' }) };

  override async run(): Promise<void> {
    const { args } = await this.parse(Repair);
    const { composeRepair } = await import('../cli/compose-carry.ts');
    const { viewRepair } = await import('../cli/views/carry.ts');
    const result = await this.runFlow(composeRepair(args.folder));
    this.showResult(result, (shown) => viewRepair(shown, this.output.style));
  }
}
