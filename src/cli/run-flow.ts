import { isDeliverError } from '../core/errors.ts';
import { allSteps, type LanedFlow } from '../core/report.ts';
import { runSteps } from '../core/run-steps.ts';
import { interruption } from './known-error.ts';
import type { JsonObserver } from './json-observer.ts';
import type { Output } from './output.ts';
import { PlainObserver } from './plain-observer.ts';
import { runStep, whileTelling } from './run-step.ts';
import { titleWidthOf } from './step-line.ts';

/** How a flow is shown: to a program, to a person at a terminal, or in a log file (decided by the output). */
export interface Screen {
  readonly output: Output;
  /** Set for `--json`. */
  readonly json?: JsonObserver;
}

/**
 * Runs the steps of a flow, in their order and in their lanes, and gives its result.
 * @throws DeliverError E_INTERRUPTED when the signal was aborted before a step failed; else what the step threw.
 */
export async function runFlow<Result>(flow: LanedFlow<Result>, screen: Screen, signal: AbortSignal): Promise<Result> {
  try {
    if (screen.json === undefined && screen.output.isTerminal) {
      const { runOnTerminal } = await import('./run-on-terminal.ts');
      return await runOnTerminal(flow, screen.output, signal);
    }
    const observer = screen.json ?? new PlainObserver(screen.output, titleWidthOf(allSteps(flow.steps)));
    return await whileTelling(observer, signal, () => runSteps(flow, (step) => runStep(step, observer, signal), signal));
  } catch (error) {
    throw signal.aborted && !isDeliverError(error) ? interruption(error) : error;
  }
}
