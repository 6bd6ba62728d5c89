import { Listr, ListrDefaultRendererLogLevels as Level } from 'listr2';
import { allSteps, type LanedFlow } from '../core/report.ts';
import { runSteps } from '../core/run-steps.ts';
import type { Output } from './output.ts';
import { runStep, whileTelling } from './run-step.ts';
import { titleWidthOf } from './step-line.ts';
import { TerminalObserver, type Task } from './terminal-observer.ts';
import { MARK } from './words.ts';

/**
 * Runs a flow and draws its steps with listr2, which only draws: to it all tasks run at once, and each is over when its step
 * is. One without a title is not shown, so a step is seen from the moment it starts, in its place among the others.
 */
export async function runOnTerminal<Result>(flow: LanedFlow<Result>, output: Output, signal: AbortSignal): Promise<Result> {
  const steps = allSteps(flow.steps);
  const observer = new TerminalObserver(output, titleWidthOf(steps));
  const drawn = new Map(
    steps.map((step) => [step, { task: Promise.withResolvers<Task>(), over: Promise.withResolvers<undefined>() }] as const),
  );
  const tasks = new Listr(
    [...drawn.values()].map(({ task, over }) => ({
      task: (_context: unknown, drawing: Task): Promise<undefined> => {
        task.resolve(drawing);
        return over.promise;
      },
    })),
    {
      concurrent: true,
      // What becomes of the others is for the flow to say.
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: {
        showErrorMessage: false,
        icon: { [Level.COMPLETED]: MARK.done, [Level.FAILED]: MARK.failed },
      },
    },
  );
  const drawing = tasks.run();
  try {
    return await whileTelling(observer, signal, () =>
      runSteps(
        flow,
        async (step) => {
          const here = drawn.get(step);
          if (here !== undefined) observer.use(step, await here.task.promise);
          await runStep(step, observer, signal).catch((error: unknown) => {
            here?.over.reject(error);
            throw error;
          });
          here?.over.resolve(undefined);
        },
        signal,
      ),
    );
  } finally {
    for (const { over } of drawn.values()) over.resolve(undefined);
    await drawing;
  }
}
