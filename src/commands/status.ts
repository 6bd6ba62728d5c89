import { BaseCommand } from '../cli/base-command.ts';
import { NOT_WELL } from '../cli/exit-codes.ts';
import { siteFlag } from '../cli/shared-flags.ts';

export default class Status extends BaseCommand {
  static override summary = 'Show how a site is: hosts, registry, nodes, add-ons, apps, addresses';
  static override description =
    'Reads only. A host or part that does not answer is shown as such; the rest is shown all the same.\nThe exit code is 0 when all is well, 5 when something is not (host, registry, node, add-on or app).';
  static override examples = ['<%= config.bin %> status --site plant-7.yaml'];
  static override flags = { site: siteFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const { composeStatus } = await import('../cli/compose-site.ts');
    const { viewStatus } = await import('../cli/views/status.ts');
    const result = await this.runFlow(await composeStatus({ site: flags.site }));
    this.showResult(result, (shown) => viewStatus(shown, this.output));
    if (result.down.length > 0) this.exit(NOT_WELL);
  }
}
