import type { Step } from '../core/report.ts';
import { interruption, knownError } from './known-error.ts';
import type { FlowObserver } from './observer.ts';

/**
 * Runs one step and tells the observer all of it.
 * @throws DeliverError E_INTERRUPTED when the signal was aborted; else what the step threw, as an error that a person can be told
 */
export async function runStep(step: Step, observer: FlowObserver, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  const took = (): number => performance.now() - began;
  observer.start(step);
  try {
    const result = await step.run(
      {
        progress: (progress) => {
          observer.progress(step, progress);
        },
        note: (line) => {
          observer.note(step, line);
        },
      },
      signal,
    );
    observer.done(step, result, took());
  } catch (error) {
    observer.failed(step, error, took());
    throw signal.aborted ? interruption(error) : knownError(error);
  }
}

/** Tells the observer, once, when the person asks to stop. */
export async function whileTelling<Result>(
  observer: Pick<FlowObserver, 'stopping'>,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const stopping = (): void => {
    observer.stopping();
  };
  signal.addEventListener('abort', stopping);
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', stopping);
  }
}
