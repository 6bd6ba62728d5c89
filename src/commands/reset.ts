import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { siteFlag } from '../cli/shared-flags.ts';

export default class Reset extends BaseCommand {
  static override summary = 'Take Kubernetes off a host of a site';
  static override description = `Drains the host and takes it out of the cluster, where another control plane answers; then stops its
kubelet and deletes its cluster's keys, configuration, etcd data and network rules. Programs, images and
the container runtime stay. The name of the host has to be typed, or given again as --confirm.`;
  static override examples = [
    '<%= config.bin %> reset w3 --site plant-7.yaml',
    { description: 'Without asking (for scripts)', command: '<%= config.bin %> reset w3 --site plant-7.yaml --confirm w3' },
  ];
  static override args = { host: Args.string({ required: true, description: 'name of the host in the site file' }) };
  static override flags = {
    site: siteFlag,
    confirm: Flags.string({ helpValue: 'HOST', description: 'the host’s name again, instead of typing it' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Reset);
    const { composeReset } = await import('../cli/compose-kubernetes.ts');
    const { confirmName } = await import('../cli/prompt.ts');
    const { viewReset } = await import('../cli/view-kubernetes.ts');
    const flow = await composeReset(args.host, flags.site);
    await confirmName(args.host, `This takes Kubernetes and its data off ${args.host}.`, flags.confirm);
    const result = await this.runFlow(flow);
    this.showResult(result, (shown) => viewReset(shown, this.output));
  }
}
