import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { releaseArg } from '../cli/shared-flags.ts';
import { volumeFlags } from '../cli/volume-flags.ts';

export default class Pack extends BaseCommand {
  static override summary = 'Put a whole release into one file';
  static override description = `Downloads everything that the lock names straight to its place in the bundle, checks
every digest on the way, and signs the result. The same lock always gives the same bytes.
Killed half way, the same command goes on and downloads nothing twice. What an earlier
bundle in the output folder holds is copied from there. With --volume-size or --profile a
carry set is cut from the bundle as well: both need their space.`;
  static override examples = [
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --sign-key ~/.ssh/release',
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --output /media/usb',
    {
      description: 'Only what a site with 3.6.1 lacks',
      command: '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --since bundles/gatekeeper-suite-3.6.1.tar',
    },
    '<%= config.bin %> pack manifests/gatekeeper-suite.yaml --profile fat32 --parity 1',
  ];
  static override args = { release: releaseArg };
  static override flags = {
    ...volumeFlags,
    output: Flags.string({ char: 'o', default: 'bundles', helpValue: 'DIR', description: 'folder to write the bundle into' }),
    'sign-key': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY',
      description: 'OpenSSH ed25519 private key to sign with; its passphrase is asked for; may be given several times',
    }),
    since: Flags.string({
      helpValue: 'RECEIPT|LOCK|BUNDLE',
      description: 'what the site has already: write a delta that leaves it out',
    }),
    reuse: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'BUNDLE',
      description: 'earlier bundle to copy blobs from, besides those in the output folder; may be given several times',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Pack);
    const { composePack } = await import('../cli/compose.ts');
    const { viewPack } = await import('../cli/view-pack.ts');
    const flow = await composePack({
      release: args.release,
      output: flags.output,
      since: flags.since,
      reuse: flags.reuse,
      signKeys: flags['sign-key'] ?? [],
    });
    const { packThenSplit, wantsVolumes } = await import('../cli/compose-carry.ts');
    const result = await this.runFlow(
      wantsVolumes(flags) ? await packThenSplit(flow, { signKeys: flags['sign-key'] ?? [], flags }) : flow,
    );
    this.showResult(result, (shown) => viewPack(shown, this.output.style));
  }
}
