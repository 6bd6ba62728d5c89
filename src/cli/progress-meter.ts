import type { Progress } from '../core/report.ts';

/** Long enough to be calm, short enough to follow a line that slows down. Milliseconds. */
const WINDOW = 10_000;
/** Below this there is no rate worth showing. Milliseconds. */
const MINIMUM = 500;

export interface Reading {
  /** 0 to 1. */
  readonly fraction: number;
  /** Units per second over the last ten seconds; undefined while unknown. */
  readonly rate?: number;
  /** Milliseconds; undefined while unknown. */
  readonly left?: number;
}

/** Turns “how far” into rate and time left, from a sliding window of what was seen. */
export class ProgressMeter {
  #samples: { readonly at: number; readonly done: number }[] = [];

  /** @param now milliseconds of a clock that never goes back. */
  update(progress: Progress, now: number): Reading {
    const last = this.#samples.at(-1);
    // An attempt that starts again counts down; a rate over such a step would be nonsense.
    if (last !== undefined && progress.done < last.done) this.#samples = [];
    this.#samples.push({ at: now, done: progress.done });
    this.#forget(now);
    return this.read(progress, now);
  }

  read(progress: Progress, now: number): Reading {
    const fraction = progress.total === 0 ? 1 : Math.min(1, progress.done / progress.total);
    const first = this.#samples[0];
    if (first === undefined || now - first.at < MINIMUM) return { fraction };
    const rate = ((progress.done - first.done) / (now - first.at)) * 1000;
    if (rate <= 0) return { fraction, rate: 0 };
    return { fraction, rate, left: ((progress.total - progress.done) / rate) * 1000 };
  }

  /** Keeps one sample at or before the edge of the window, and at most some twenty a second of the rest. */
  #forget(now: number): void {
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? now) <= now - WINDOW) this.#samples.shift();
    const previous = this.#samples.at(-2);
    const beforeThat = this.#samples.at(-3);
    if (previous !== undefined && beforeThat !== undefined && previous.at - beforeThat.at < 50) this.#samples.splice(-2, 1);
  }
}
