import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { siteFlag } from '../cli/shared-flags.ts';

export default class Support extends BaseCommand {
  static override summary = 'Gather logs and states of a site in one archive, without secrets';
  static override description = `Per host: logs of the last hours, units, versions, containers, configuration; of the cluster: objects and
events, never Secrets; deliver's own journals. What looks secret is replaced by *** and listed in REDACTED.txt.
A host that can't be reached is said so inside. Changes nothing on the site.`;
  static override examples = ['<%= config.bin %> support --site plant-7.yaml --output /media/usb/plant-7.tar.gz'];
  static override flags = {
    site: siteFlag,
    output: Flags.string({ helpValue: 'FILE', description: 'archive to write; support-<site>-<time>.tar.gz here when absent' }),
    hours: Flags.integer({
      default: 24,
      min: 1,
      max: 24 * 31,
      helpValue: 'N',
      description: 'how far back logs go; 24 when not given',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Support);
    const { composeSupport } = await import('../cli/compose-site.ts');
    const { viewSupport } = await import('../cli/views/support.ts');
    const result = await this.runFlow(await composeSupport(flags));
    this.showResult(result, (shown) => viewSupport(shown, this.output));
  }
}
