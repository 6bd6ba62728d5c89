import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { releaseArg } from '../cli/shared-flags.ts';

export default class Pack extends BaseCommand {
  static override summary = 'Put a whole release into one file';
  static override description = `Downloads everything that the lock names straight to its place in the bundle, checks
every digest on the way, and signs the result. The same lock always gives the same bytes.
Killed half way, the same command goes on and downloads nothing twice.`;
  static override examples = [
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --sign-key ~/.ssh/release',
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --output /media/usb',
  ];
  static override args = { release: releaseArg };
  static override flags = {
    output: Flags.string({ char: 'o', default: 'bundles', helpValue: 'DIR', description: 'folder to write the bundle into' }),
    'sign-key': Flags.string({
      helpValue: 'KEY',
      description: 'OpenSSH ed25519 private key to sign with; its passphrase is asked for at the terminal',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Pack);
    const { composePack } = await import('../cli/compose.ts');
    const { viewPack } = await import('../cli/view-pack.ts');
    const signKey = flags['sign-key'];
    const flow = await composePack({
      release: args.release,
      output: flags.output,
      ...(signKey === undefined ? {} : { signKey }),
    });
    const result = await this.runFlow(flow);
    this.showResult(result, (shown) => viewPack(shown, this.output.style));
  }
}
