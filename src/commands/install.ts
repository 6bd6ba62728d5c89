import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import type { PlanCommand } from '../cli/views/plan.ts';
import type { Flow } from '../core/report.ts';
import type { PlanResult } from '../flows/plan/types.ts';
import { allowUnsignedFlag, bundleArg, siteFlag } from '../cli/shared-flags.ts';

export default class Install extends BaseCommand {
  static override summary = 'Install or upgrade a release on a site';
  static override description = `In this order, each step skipped when it is already true: trust, preflights, then of bare hosts
the hosts and their container runtime, side by side with the registry and the push into it; node mirrors,
Kubernetes, add-ons, namespaces and secrets, externals, apps with their ingress, names, record. A site that
has its cluster gets its mirrors before the push. Interrupted at any point, the same command goes on.
A second run changes nothing and says so.`;
  static override examples = [
    '<%= config.bin %> install bundles/gatekeeper-suite-3.6.2.tar --site plant-7.yaml',
    {
      description: 'Without asking (for scripts)',
      command: '<%= config.bin %> install bundles/gatekeeper-suite-3.6.2.tar --site plant-7.yaml --yes',
    },
  ];
  static override args = { bundle: bundleArg };
  static override flags = {
    site: siteFlag,
    yes: Flags.boolean({ char: 'y', description: 'go on without asking' }),
    'allow-unsigned': allowUnsignedFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Install);
    const { composeInstall, composePlan } = await import('../cli/compose-site.ts');
    const { viewInstall } = await import('../cli/views/install.ts');
    const where = { bundle: args.bundle, site: flags.site, allowUnsigned: flags['allow-unsigned'] };
    const flow = await composeInstall(where);
    if (!flags.yes) await this.agree(where, await composePlan(where));
    const result = await this.runFlow(flow);
    this.showResult(result, (shown) => viewInstall(shown, this.output));
  }

  /** Shows the plan and asks. */
  private async agree(paths: PlanCommand, planning: Flow<PlanResult>): Promise<void> {
    const { consent, refuseUnasked } = await import('../cli/prompt.ts');
    const { viewPlan } = await import('../cli/views/plan.ts');
    refuseUnasked();
    const plan = await this.runFlow(planning);
    this.showResult(plan, (shown) => viewPlan(shown, paths, this.output));
    if (!plan.unchanged) await consent('Install this?', false);
  }
}
