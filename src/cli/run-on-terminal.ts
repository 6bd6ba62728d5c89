import { Listr, ListrDefaultRendererLogLevels as Level } from 'listr2';
import type { Step } from '../core/report.ts';
import type { Output } from './output.ts';
import { runStep } from './run-step.ts';
import { titleWidthOf } from './step-line.ts';
import { TerminalObserver } from './terminal-observer.ts';
import { MARK } from './words.ts';

/** Runs the steps with listr2; a step is shown from the moment it starts. Throws what a step throws. */
export async function runOnTerminal(steps: readonly Step[], output: Output, signal: AbortSignal): Promise<void> {
  const observer = new TerminalObserver(output, titleWidthOf(steps));
  const tasks = new Listr(
    steps.map((step) => ({
      task: async (_context: unknown, task: Parameters<TerminalObserver['use']>[0]) => {
        observer.use(task);
        await runStep(step, observer, signal);
      },
    })),
    {
      registerSignalListeners: false,
      rendererOptions: {
        showErrorMessage: false,
        icon: { [Level.COMPLETED]: MARK.done, [Level.FAILED]: MARK.failed },
      },
    },
  );
  await tasks.run();
}
