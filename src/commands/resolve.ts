import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.ts';
import { releaseArg } from '../cli/shared-flags.ts';

export default class Resolve extends BaseCommand {
  static override summary = 'Write the lock of a release: everything in it by digest and size';
  static override description = `Asks every registry and server that the release names, and writes the lock next to the
release: gatekeeper-suite.yaml → gatekeeper-suite.lock.yaml. Commit the lock: it is
what pack ships. A resolve that changes nothing rewrites nothing.`;
  static override examples = [
    '<%= config.bin %> resolve manifests/gatekeeper-suite.yaml',
    {
      description: 'Fail when the lock is not what the sources say now (for CI)',
      command: '<%= config.bin %> resolve manifests/gatekeeper-suite.yaml --check',
    },
  ];
  static override args = { release: releaseArg };
  static override flags = {
    check: Flags.boolean({ description: 'write nothing; fail with exit 3 when the lock would change' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Resolve);
    const { composeResolve } = await import('../cli/compose.ts');
    const { resolveSummary, viewResolve } = await import('../cli/views/resolve.ts');
    const result = await this.runFlow(composeResolve({ release: args.release, check: flags.check }));
    this.showResult(resolveSummary(result), (shown) => viewResolve(shown, this.output.style));
  }
}
