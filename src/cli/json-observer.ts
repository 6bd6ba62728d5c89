import { ERROR_CLASS } from '../core/error-codes.ts';
import type { Progress, Step, StepResult } from '../core/report.ts';
import { cleanJson } from './clean.ts';
import { exitCodeOf } from './exit-codes.ts';
import { knownError } from './known-error.ts';
import type { FlowObserver } from './observer.ts';

const EVERY_MS = 1000;

/** One JSON object per line on standard output: `{"event": …, "time": …, "step": …}`; docs/reference/events.md lists them. */
export class JsonObserver implements FlowObserver {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  /** When progress of a step was told, by its id. */
  readonly #toldAt = new Map<string, number>();

  constructor(write: (line: string) => void, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
  }

  start(step: Step): void {
    this.#toldAt.delete(step.id);
    this.#emit('step-start', { step: step.id, title: step.title });
  }

  progress(step: Step, progress: Progress): void {
    if (this.#now() - (this.#toldAt.get(step.id) ?? -Infinity) < EVERY_MS && progress.done < progress.total) return;
    this.#toldAt.set(step.id, this.#now());
    this.#emit('progress', { step: step.id, ...progress });
  }

  note(step: Step, line: string): void {
    this.#emit('note', { step: step.id, line });
  }

  done(step: Step, result: StepResult, took: number): void {
    this.#emit('step-done', { step: step.id, ...result, milliseconds: Math.round(took) });
  }

  failed(step: Step, error: unknown, took: number): void {
    this.#emit('step-failed', { step: step.id, code: knownError(error).code, milliseconds: Math.round(took) });
  }

  stopping(): void {
    this.#emit('stopping', {});
  }

  result(result: unknown): void {
    this.#emit('result', { result });
  }

  error(error: unknown): void {
    const { code, facts } = knownError(error);
    const { cause: _cause, ...told } = facts;
    this.#emit('error', { code, class: ERROR_CLASS[code], exit: exitCodeOf(code), ...told });
  }

  #emit(event: string, fields: object): void {
    this.#write(cleanJson({ event, time: new Date().toISOString(), ...fields }));
  }
}
