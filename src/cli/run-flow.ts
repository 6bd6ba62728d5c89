import type { Flow } from '../core/report.ts';
import { interruption } from './known-error.ts';
import type { JsonObserver } from './json-observer.ts';
import type { Output } from './output.ts';
import { PlainObserver } from './plain-observer.ts';
import { runStep } from './run-step.ts';
import { titleWidthOf } from './step-line.ts';

/** How a flow is shown: to a program, to a person at a terminal, or in a log file (decided by the output). */
export interface Screen {
  readonly output: Output;
  /** Set for `--json`. */
  readonly json?: JsonObserver;
}

/**
 * Runs the steps of a flow in their order and gives its result.
 * @throws DeliverError E_INTERRUPTED when the signal was aborted; else what the step threw.
 */
export async function runFlow<Result>(flow: Flow<Result>, screen: Screen, signal: AbortSignal): Promise<Result> {
  try {
    if (screen.json === undefined && screen.output.isTerminal) {
      const { runOnTerminal } = await import('./run-on-terminal.ts');
      await runOnTerminal(flow.steps, screen.output, signal);
    } else {
      const observer = screen.json ?? new PlainObserver(screen.output, titleWidthOf(flow.steps));
      for (const step of flow.steps) await runStep(step, observer, signal);
    }
  } catch (error) {
    throw signal.aborted ? interruption(error) : error;
  }
  return flow.result();
}
