import { SILENT, type LanedFlow, type Report } from '../../src/core/report.ts';
import { runSteps } from '../../src/core/run-steps.ts';

export interface Watching {
  readonly report?: Report | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a flow to its end, with nobody looking unless `report` is given. */
export function runFlow<Result>(flow: LanedFlow<Result>, watching: Watching = {}): Promise<Result> {
  const { report = SILENT, signal = new AbortController().signal } = watching;
  const run = async (step: { run(report: Report, signal: AbortSignal): Promise<unknown> }): Promise<void> => {
    await step.run(report, signal);
  };
  return runSteps(flow, run, signal);
}
