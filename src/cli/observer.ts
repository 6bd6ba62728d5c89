import type { Progress, Step, StepResult } from '../core/report.ts';

/** Who draws a flow: a terminal, a log file, or a program that reads JSON. Steps come one after the other. */
export interface FlowObserver {
  start(step: Step): void;
  progress(step: Step, progress: Progress): void;
  note(step: Step, line: string): void;
  /** @param took milliseconds */
  done(step: Step, result: StepResult, took: number): void;
  failed(step: Step, error: unknown, took: number): void;
  /** The person asked to stop; the step that runs now is winding up. */
  stopping(): void;
}
