import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { bundleArg } from '../cli/shared-flags.ts';

export default class Sign extends BaseCommand {
  static override summary = 'Add a signature to a bundle or carry set, where it lies';
  static override description = `Writes into the room that every bundle keeps for signatures: nothing moves, the root digest
and all other signatures stay. For a gateway that vouches for what it has scanned, or for a key
of cosign. It signs what the bundle says it is; run deliver verify first to know that it is whole.
Killed half way, the same command takes the half signing back and signs anew; without --key it
only takes it back. Of a carry set, the carry manifest is signed: the bundle inside is not.`;
  static override examples = [
    '<%= config.bin %> sign /transfer/gatekeeper-suite-3.6.2.tar --key ~/.ssh/gateway',
    {
      description: 'Put in what cosign sign-blob --bundle has written',
      command: '<%= config.bin %> sign bundles/gatekeeper-suite-3.6.2.tar --attach release.sigstore.json',
    },
  ];
  static override args = { bundle: bundleArg };
  static override flags = {
    key: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY',
      description:
        'OpenSSH ed25519 private key, whose passphrase is asked for, or .pub file of one that ssh-agent holds; may be given several times',
    }),
    attach: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
      description: 'sigstore bundle v0.3 over the release manifest, made with a key; may be given several times',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Sign);
    const { composeSign } = await import('../cli/compose-sign.ts');
    const { viewSign } = await import('../cli/views/sign.ts');
    const flow = await composeSign({ bundle: args.bundle, keys: flags.key ?? [], attach: flags.attach ?? [] });
    const result = await this.runFlow(flow);
    this.showResult(result, (shown) => viewSign(shown, this.output.style));
  }
}
