import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';

export default class ImportKubeKey extends BaseCommand {
  static override summary = 'Write a file of KubeKey as a release or site of deliver';
  static override description = `A Manifest becomes NAME.yaml, a Cluster NAME.site.yaml, with its passwords in NAME.secrets.yaml
that only you may read. deliver also takes KubeKey's files as they are: import them when you
want what they have no words for (apps, charts, trusted keys). A file that is there is never
overwritten.`;
  static override examples = [
    '<%= config.bin %> import kubekey manifest-sample.yaml',
    '<%= config.bin %> import kubekey config-sample.yaml --output sites',
  ];
  static override args = { file: Args.string({ required: true, description: 'Manifest or Cluster of KubeKey (v1alpha2)' }) };
  static override flags = {
    output: Flags.string({ char: 'o', default: '.', helpValue: 'FOLDER', description: 'folder to write into' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(ImportKubeKey);
    const { composeImport } = await import('../cli/compose-import.ts');
    const { viewImport } = await import('../cli/views/import.ts');
    const result = await composeImport({ path: args.file, output: flags.output });
    this.showDocument(result, (shown) => viewImport(shown, this.output.style, this.output.width));
  }
}
