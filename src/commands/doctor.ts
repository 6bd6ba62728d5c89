import { Args } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { exitCodeOf } from '../cli/exit-codes.ts';
import { allowUnsignedFlag, siteFlag } from '../cli/shared-flags.ts';

export default class Doctor extends BaseCommand {
  static override summary = 'Look whether a site is ready; changes nothing';
  static override description = `Runs the preflights of plan and install alone: hosts, registry, cluster.
With a bundle also what that release needs: room on every disk, platforms, the way to its Kubernetes version.
Ends with exit code 6 when something failed.`;
  static override examples = [
    '<%= config.bin %> doctor --site plant-7.yaml',
    '<%= config.bin %> doctor --site plant-7.yaml bundles/gatekeeper-suite-3.6.2.tar',
  ];
  static override args = { bundle: Args.string({ description: 'bundle file (.tar), or folder with its volumes' }) };
  static override flags = { site: siteFlag, 'allow-unsigned': allowUnsignedFlag };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Doctor);
    const { composeDoctor } = await import('../cli/compose-site.ts');
    const { viewDoctor } = await import('../cli/views/doctor.ts');
    const release = { bundle: args.bundle, allowUnsigned: flags['allow-unsigned'] };
    const result = await this.runFlow(await composeDoctor({ site: flags.site, ...release }));
    this.showResult(result, (shown) => viewDoctor(shown, this.output));
    if (result.failed > 0) this.exit(exitCodeOf('E_PREFLIGHT'));
  }
}
