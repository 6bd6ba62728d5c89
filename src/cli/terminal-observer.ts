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

/** Draws the running step into its listr2 task: title, bar, what is in flight, notes below. */
export class TerminalObserver implements FlowObserver {
  readonly #output: Output;
  readonly #titleWidth: number;
  #task: Task | undefined;
  #timer: NodeJS.Timeout | undefined;
  #began = 0;
  #meter = new ProgressMeter();
  #now: { progress: Progress; reading: Reading } | undefined;
  #stopping = false;
  #notes: string[] = [];

  constructor(output: Output, titleWidth: number) {
    this.#output = output;
    this.#titleWidth = titleWidth;
  }

  /** The task that the next step draws into. */
  use(task: Task): void {
    this.#task = task;
  }

  start(step: Step): void {
    this.#began = performance.now();
    this.#meter = new ProgressMeter();
    this.#now = undefined;
    this.#notes = [];
    this.#draw(step);
    this.#timer = setInterval(() => {
      this.#draw(step);
    }, REFRESH_MS);
  }

  progress(_step: Step, progress: Progress): void {
    this.#now = { progress, reading: this.#meter.update(progress, performance.now()) };
  }

  note(_step: Step, line: string): void {
    // Two of the four columns are listr2's own.
    this.#notes.push(...noteLines(line, this.#width).map((part) => part.slice(2)));
  }

  done(step: Step, result: StepResult, took: number): void {
    this.#end(doneLines(step.title, result.summary, took, this.#titleWidth, this.#width));
  }

  failed(step: Step, _error: unknown, took: number): void {
    this.#end([endedLine(step.title, this.#stopping ? 'stopped' : 'failed', took, this.#titleWidth)]);
  }

  stopping(): void {
    this.#stopping = true;
  }

  get #width(): number {
    return this.#output.width - TAKEN;
  }

  #end(lines: readonly string[]): void {
    clearInterval(this.#timer);
    this.#title([...lines, ...this.#notes]);
  }

  #draw(step: Step): void {
    const head = `${padEnd(clean(step.title), this.#titleWidth)}  `;
    const room = this.#width - head.length;
    const elapsed = performance.now() - this.#began;
    const body =
      this.#now === undefined
        ? elapsed < 2000
          ? ''
          : this.#output.style.dim(durationText(Math.floor(elapsed / 1000) * 1000).replace('.0 s', ' s'))
        : progressBar(this.#now.progress, this.#now.reading, room, this.#output.style);
    const detail = this.#stopping ? WORDS.stopping : this.#now?.progress.detail;
    const below = detail === undefined ? [] : [`  ${truncate(clean(detail), this.#width - 4)}`];
    this.#title([(head + body).trimEnd(), ...below, ...this.#notes]);
  }

  #title(lines: readonly string[]): void {
    if (this.#task !== undefined) this.#task.title = lines.join('\n');
  }
}
