import type { Step } from '../core/report.ts';
import type { FlowObserver } from './observer.ts';

/** Runs one step and tells the observer all of it. Throws what the step throws. */
export async function runStep(step: Step, observer: FlowObserver, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const began = performance.now();
  const took = (): number => performance.now() - began;
  const stopping = (): void => {
    observer.stopping();
  };
  observer.start(step);
  signal.addEventListener('abort', stopping);
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
    throw error;
  } finally {
    signal.removeEventListener('abort', stopping);
  }
}
