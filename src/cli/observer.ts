import type { Progress, Step, StepResult } from '../core/report.ts';

/** Who draws a flow: a terminal, a log file, or a program that reads JSON. Several steps may be under way at once. */
export interface FlowObserver {
  start(step: Step): void;
  progress(step: Step, progress: Progress): void;
  note(step: Step, line: string): void;
  /** @param took milliseconds */
  done(step: Step, result: StepResult, took: number): void;
  failed(step: Step, error: unknown, took: number): void;
  /** The person asked to stop; the steps that run now are winding up. Told once. */
  stopping(): void;
}
