import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { siteFlag } from '../cli/shared-flags.ts';

export default class Reset extends BaseCommand {
  static override summary = 'Put a host of a site back to what it was before deliver';
  static override description = `Drains the host and takes it out of the cluster, where another control plane answers. Then Kubernetes goes,
and everything that deliver set up: its units are stopped and removed, files and settings are put back as
they were. Data stays, unless its flag is given. The name of the host has to be typed, or given again as
--confirm. A reset that was cut off is gone on with by the same command.`;
  static override examples = [
    '<%= config.bin %> reset w3 --site plant-7.yaml',
    { description: 'Without asking (for scripts)', command: '<%= config.bin %> reset w3 --site plant-7.yaml --confirm w3' },
    {
      description: 'With the images of the runtime and the data of an app',
      command: '<%= config.bin %> reset w3 --site plant-7.yaml --images --app-data /data0',
    },
  ];
  static override args = { host: Args.string({ required: true, description: 'name of the host in the site file' }) };
  static override flags = {
    site: siteFlag,
    'etcd-data': Flags.boolean({ description: 'delete the data of etcd there too: with the last copy the cluster is gone' }),
    'registry-data': Flags.boolean({ description: 'delete the data of the registry there too: every image that was pushed' }),
    images: Flags.boolean({ description: 'delete what containerd and Docker keep there too: images, stopped containers' }),
    'app-data': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: 'FOLDER',
      description: 'delete the content of a folder of apps there too (hostPath); may be given several times',
    }),
    confirm: Flags.string({ helpValue: 'HOST', description: 'the host’s name again, instead of typing it' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Reset);
    const { composeReset } = await import('../cli/compose-kubernetes.ts');
    const { confirmName } = await import('../cli/prompt.ts');
    const { viewReset } = await import('../cli/views/kubernetes.ts');
    const { flow, question } = await composeReset(args.host, flags.site, {
      etcdData: flags['etcd-data'],
      registryData: flags['registry-data'],
      images: flags.images,
      appData: flags['app-data'],
    });
    await confirmName(args.host, question, flags.confirm);
    const result = await this.runFlow(flow);
    this.showResult(result, (shown) => viewReset(shown, this.output));
  }
}
