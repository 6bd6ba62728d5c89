import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { bundleArg } from '../cli/shared-flags.ts';

export default class Inspect extends BaseCommand {
  static override summary = 'Show what is in a bundle, and how big';
  static override description = `Reads the lock and the table of contents in place; nothing is unpacked, no blob is read.
With --html or --sbom every layer is read once, in place, for the packages in it.`;
  static override examples = [
    '<%= config.bin %> inspect bundles/gatekeeper-suite-3.6.2.tar',
    {
      description: 'The images and their digests',
      command:
        '<%= config.bin %> inspect bundles/gatekeeper-suite-3.6.2.tar --json | jq -r \'.images[] | .reference + " " + .digest\'',
    },
    {
      description: 'A page for the auditor, and a bill of materials',
      command:
        '<%= config.bin %> inspect bundles/gatekeeper-suite-3.6.2.tar --html suite.html --sbom suite.cdx.json --since bundles/gatekeeper-suite-3.6.1.tar',
    },
  ];
  static override args = { bundle: bundleArg };
  static override flags = {
    html: Flags.string({
      helpValue: 'FILE',
      description: 'write one page that needs no network: sizes, layers, packages, licences',
    }),
    sbom: Flags.string({ helpValue: 'FILE', description: 'write a bill of materials (CycloneDX 1.6, JSON)' }),
    since: Flags.string({
      helpValue: 'LOCK|BUNDLE',
      dependsOn: ['html'],
      description: 'mark on the page what is new since this release',
    }),
    packages: Flags.boolean({
      default: true,
      allowNo: true,
      description: 'look for packages and licences in the layers; --no-packages for a page at once',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    if (flags.html !== undefined || flags.sbom !== undefined) {
      const { composeDeepInspect } = await import('../cli/compose-inspect.ts');
      const { viewInspectDeep } = await import('../cli/views/inspect-deep.ts');
      const result = await this.runFlow(composeDeepInspect({ ...args, ...flags }));
      this.showResult(result, (shown) => viewInspectDeep(shown, this.output));
      return;
    }
    const { composeInspect } = await import('../cli/compose-bundle.ts');
    const { viewInspect } = await import('../cli/views/inspect.ts');
    const result = await composeInspect({ bundle: args.bundle });
    this.showDocument(result, (shown) => viewInspect(shown, this.output));
  }
}
