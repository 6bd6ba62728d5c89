import type { Progress, Step, StepResult } from '../core/report.ts';
import { clean } from './clean.ts';
import type { FlowObserver } from './observer.ts';
import type { Output } from './output.ts';
import { ProgressMeter } from './progress-meter.ts';
import { progressText } from './progress-line.ts';
import { doneLines, endedLine, noteLines } from './step-line.ts';
import { MARK, WORDS } from './words.ts';

/** A log file gets a progress line after this much time, or this much work where that took a moment. */
const EVERY_MS = 10_000;
const EVERY_FRACTION = 0.1;
const MOMENT_MS = 2000;

/** A step that is under way. */
interface Running {
  readonly meter: ProgressMeter;
  told: { readonly at: number; readonly fraction: number };
  /** Another one was under way meanwhile: its lines may stand between. */
  beside: boolean;
}

/** Lines for a log file: nothing moves, nothing is taken back. */
export class PlainObserver implements FlowObserver {
  readonly #output: Output;
  readonly #titleWidth: number;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();
  #stopping = false;

  constructor(output: Output, titleWidth: number, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#titleWidth = titleWidth;
    this.#now = now;
  }

  start(step: Step): void {
    this.#running.set(step.id, { meter: new ProgressMeter(), told: { at: this.#now(), fraction: 0 }, beside: false });
    if (this.#running.size > 1) for (const running of this.#running.values()) running.beside = true;
    this.#output.line(`${MARK.running} ${clean(step.title)}`);
  }

  progress(step: Step, progress: Progress): void {
    const running = this.#running.get(step.id);
    if (running === undefined) return;
    const now = this.#now();
    const reading = running.meter.update(progress, now);
    const waited = now - running.told.at;
    const due = waited >= EVERY_MS || (waited >= MOMENT_MS && reading.fraction - running.told.fraction >= EVERY_FRACTION);
    if (!due || progress.done >= progress.total) return;
    running.told = { at: now, fraction: reading.fraction };
    const detail = progress.detail === undefined ? '' : ` · ${progress.detail}`;
    const percent = `${Math.floor(reading.fraction * 100)} %`;
    this.#output.line(clean(`  ${step.title}  ${percent}  ${progressText(progress, reading)}${detail}`));
  }

  note(step: Step, line: string): void {
    const whose = this.#running.get(step.id)?.beside === true ? `${step.title}: ` : '';
    for (const part of noteLines(whose + line, this.#output.width)) this.#output.line(part);
  }

  done(step: Step, result: StepResult, took: number): void {
    this.#running.delete(step.id);
    const [first = '', ...rest] = doneLines(step.title, result.summary, took, this.#titleWidth, this.#output.width - 2);
    this.#output.line(`${MARK.done} ${first}`);
    for (const part of rest) this.#output.line(`  ${part}`);
  }

  failed(step: Step, _error: unknown, took: number): void {
    this.#running.delete(step.id);
    this.#output.line(`${MARK.failed} ${endedLine(step.title, this.#stopping ? 'stopped' : 'failed', took, this.#titleWidth)}`);
  }

  stopping(): void {
    this.#stopping = true;
    this.#output.line(`  ${WORDS.stopping}`);
  }
}
