import { BaseCommand } from '../cli/base-command.ts';
import { allowUnsignedFlag, bundleArg, thresholdFlag, trustFlag } from '../cli/shared-flags.ts';

export default class Verify extends BaseCommand {
  static override summary = 'Prove that a bundle is whole and from somebody you trust';
  static override description = `Checks structure, signature and every blob, and reports all damage, not only the first.
Of a carry set it draws every volume, says what parity can mend, and gives a code for the rest.
Changes nothing and needs no network.`;
  static override examples = [
    '<%= config.bin %> verify bundles/gatekeeper-suite-3.6.2.tar --trust release.pub',
    {
      description: 'Only ask whether the bytes arrived whole',
      command: '<%= config.bin %> verify bundles/gatekeeper-suite-3.6.2.tar --allow-unsigned',
    },
  ];
  static override args = { bundle: bundleArg };
  static override flags = { trust: trustFlag, threshold: thresholdFlag, 'allow-unsigned': allowUnsignedFlag };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Verify);
    const { composeVerify } = await import('../cli/compose-bundle.ts');
    const { viewVerify } = await import('../cli/views/verify.ts');
    const trust = { trust: flags.trust ?? [], threshold: flags.threshold, allowUnsigned: flags['allow-unsigned'] };
    const result = await this.runFlow(await composeVerify({ bundle: args.bundle, ...trust }));
    this.showResult(result, (shown) => viewVerify(shown, this.output.style));
  }
}
