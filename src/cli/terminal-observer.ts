import type { ListrTaskWrapper, DefaultRenderer, SimpleRenderer } from 'listr2';
import { durationText } from '../core/amounts.ts';
import type { Progress, Step, StepResult } from '../core/report.ts';
import { clean } from './clean.ts';
import type { FlowObserver } from './observer.ts';
import type { Output } from './output.ts';
import { ProgressMeter, type Reading } from './progress-meter.ts';
import { progressBar } from './progress-line.ts';
import { doneLines, endedLine, noteLines } from './step-line.ts';
import { padEnd, truncate } from './text.ts';
import { WORDS } from './words.ts';

export type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** listr2 puts a mark and a space before the line and keeps two columns free. */
const TAKEN = 4;
const REFRESH_MS = 200;

/** A step that is drawn. */
interface Drawing {
  readonly task: Task;
  readonly began: number;
  readonly meter: ProgressMeter;
  readonly notes: string[];
  timer?: NodeJS.Timeout;
  now?: { readonly progress: Progress; readonly reading: Reading };
}

/** Draws each running step into its listr2 task: title, bar, what is in flight, notes below. */
export class TerminalObserver implements FlowObserver {
  readonly #output: Output;
  readonly #titleWidth: number;
  readonly #drawings = new Map<Step, Drawing>();
  #stopping = false;

  constructor(output: Output, titleWidth: number) {
    this.#output = output;
    this.#titleWidth = titleWidth;
  }

  /** The task that a step draws into; said before the step starts. */
  use(step: Step, task: Task): void {
    this.#drawings.set(step, { task, began: performance.now(), meter: new ProgressMeter(), notes: [] });
  }

  start(step: Step): void {
    const drawing = this.#drawings.get(step);
    if (drawing === undefined) return;
    this.#draw(step, drawing);
    drawing.timer = setInterval(() => {
      this.#draw(step, drawing);
    }, REFRESH_MS);
  }

  progress(step: Step, progress: Progress): void {
    const drawing = this.#drawings.get(step);
    if (drawing === undefined) return;
    drawing.now = { progress, reading: drawing.meter.update(progress, performance.now()) };
  }

  note(step: Step, line: string): void {
    // Two of the four columns are listr2's own.
    this.#drawings.get(step)?.notes.push(...noteLines(line, this.#width).map((part) => part.slice(2)));
  }

  done(step: Step, result: StepResult, took: number): void {
    this.#end(step, doneLines(step.title, result.summary, took, this.#titleWidth, this.#width));
  }

  failed(step: Step, _error: unknown, took: number): void {
    this.#end(step, [endedLine(step.title, this.#stopping ? 'stopped' : 'failed', took, this.#titleWidth)]);
  }

  stopping(): void {
    this.#stopping = true;
  }

  get #width(): number {
    return this.#output.width - TAKEN;
  }

  #end(step: Step, lines: readonly string[]): void {
    const drawing = this.#drawings.get(step);
    if (drawing === undefined) return;
    clearInterval(drawing.timer);
    drawing.task.title = [...lines, ...drawing.notes].join('\n');
  }

  #draw(step: Step, { task, began, now, notes }: Drawing): void {
    const head = `${padEnd(clean(step.title), this.#titleWidth)}  `;
    const room = this.#width - head.length;
    const elapsed = performance.now() - began;
    const body =
      now === undefined
        ? elapsed < 2000
          ? ''
          : this.#output.style.dim(durationText(Math.floor(elapsed / 1000) * 1000).replace('.0 s', ' s'))
        : progressBar(now.progress, now.reading, room, this.#output.style);
    const detail = this.#stopping ? WORDS.stopping : now?.progress.detail;
    const below = detail === undefined ? [] : [`  ${truncate(clean(detail), this.#width - 4)}`];
    task.title = [(head + body).trimEnd(), ...below, ...notes].join('\n');
  }
}
