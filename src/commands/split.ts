import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { volumeFlags } from '../cli/volume-flags.ts';

export default class Split extends BaseCommand {
  static override summary = 'Cut a bundle into volumes for media or a gateway';
  static override description = `Writes a carry set: volumes of any size, parity volumes that mend lost ones, and a
carry manifest with the hash of every MiB. Every file gets its name only when it is whole.
On site nothing is joined: verify, plan, install and push read the folder as it is.`;
  static override examples = [
    '<%= config.bin %> split bundles/suite-3.6.2.tar --profile fat32 --parity 1 --sign-key ~/.ssh/release',
    '<%= config.bin %> split bundles/suite-3.6.2.tar --volume-size 700M --output /media/usb',
  ];
  static override args = { bundle: Args.string({ required: true, description: 'bundle file (.tar)' }) };
  static override flags = {
    ...volumeFlags,
    output: Flags.string({ char: 'o', helpValue: 'DIR', description: 'folder for the volumes (default: beside the bundle)' }),
    'sign-key': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY',
      description:
        'private key, or .pub file of one that ssh-agent holds, to sign the carry manifest with; may be given several times',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Split);
    const { composeSplit } = await import('../cli/compose-carry.ts');
    const { viewSplit } = await import('../cli/views/carry.ts');
    const wish = { bundle: args.bundle, output: flags.output, signKeys: flags['sign-key'] ?? [], flags };
    const result = await this.runFlow(await composeSplit(wish));
    this.showResult(result, (shown) => viewSplit(shown, this.output.style));
  }
}
