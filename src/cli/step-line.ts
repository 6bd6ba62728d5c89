import { durationText } from '../core/amounts.ts';
import { clean } from './clean.ts';
import { padEnd, spread, wrap } from './text.ts';

/** Shorter steps don't show how long they took. Milliseconds. */
const WORTH_TELLING = 1000;

/**
 * `Registry    3 images, 96 MB pushed                       2 s`, without the mark before it.
 * A summary that does not fit goes on below its own first column.
 * @param titleWidth columns of the widest title, so that summaries stand in one column
 * @param took milliseconds
 */
export function doneLines(title: string, summary: string, took: number, titleWidth: number, width: number): string[] {
  const head = `${padEnd(clean(title), titleWidth)}  `;
  const time = took < WORTH_TELLING ? '' : durationText(took);
  const room = width - head.length - (time === '' ? 0 : time.length + 2);
  const [first = '', ...rest] = wrap(clean(summary), Math.max(20, room));
  const line = `${head}${first}`.trimEnd();
  return [
    time === '' ? line : (spread(line, time, width) ?? `${line}  ${time}`),
    ...rest.map((part) => below(part, head.length, width)),
  ];
}

/** A part of a summary below its column; further left when it is one long word, such as a digest. */
function below(part: string, column: number, width: number): string {
  return ' '.repeat(Math.max(2, Math.min(column, width - part.length))) + part;
}

/** `Registry    failed after 6 s`, `Packing     stopped after 3 min 5 s`. */
export function endedLine(title: string, word: 'failed' | 'stopped', took: number, titleWidth: number): string {
  const time = took < WORTH_TELLING ? '' : ` after ${durationText(took)}`;
  return `${padEnd(clean(title), titleWidth)}  ${word}${time}`;
}

/** A note below a step: four columns in, wrapped. */
export function noteLines(line: string, width: number): string[] {
  return wrap(clean(line), width - 4).map((part) => `    ${part}`);
}

export function titleWidthOf(steps: readonly { readonly title: string }[]): number {
  return Math.max(0, ...steps.map((step) => step.title.length));
}
