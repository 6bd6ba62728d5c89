import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { allowUnsignedFlag, bundleArg, siteFlag } from '../cli/shared-flags.ts';

export default class Plan extends BaseCommand {
  static override summary = 'Show what an install would do; changes nothing';
  static override description = `Runs every preflight, asks the registry what it lacks and the cluster (server-side dry-run)
what would change, field by field. What plan prints is what install does. On bare hosts it
counts what each one gets: --verbose names every file.`;
  static override examples = ['<%= config.bin %> plan bundles/gatekeeper-suite-3.6.2.tar --site plant-7.yaml'];
  static override args = { bundle: bundleArg };
  static override flags = {
    site: siteFlag,
    verbose: Flags.boolean({ description: 'name every file, program and new object' }),
    'allow-unsigned': allowUnsignedFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Plan);
    const { composePlan } = await import('../cli/compose-site.ts');
    const { viewPlan } = await import('../cli/views/plan.ts');
    const where = { bundle: args.bundle, site: flags.site, allowUnsigned: flags['allow-unsigned'] };
    const result = await this.runFlow(await composePlan(where));
    const command = { bundle: args.bundle, site: flags.site, verbose: flags.verbose };
    this.showResult(result, (shown) => viewPlan(shown, command, this.output));
  }
}
