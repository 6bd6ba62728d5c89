import { excerpt, type DeliverError } from '../core/errors.ts';
import { clean } from './clean.ts';
import { ERROR_TEXT } from './error-texts.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Style } from './style.ts';
import { spread, wrap } from './text.ts';
import { MARK } from './words.ts';

/** A person reads this many findings; `--json` has them all. */
const MOST_DETAILS = 40;
/** Letters of one finding, cause or state: what is quoted in it may have no end. What to do is ours, and never cut. */
const MOST_LETTERS = 2000;
const LABEL_WIDTH = 'state  '.length;

/**
 * The lines that tell a person of a failure: what and its code, the findings, why, fix, state, exit code.
 * A code's general advice (`ERROR_TEXT`) stands in where the error itself brings no fix.
 */
export function renderError(error: DeliverError, style: Style, width = 80): string[] {
  const { what, why, state, details = [] } = error.facts;
  const fix = error.facts.fix ?? ERROR_TEXT[error.code].fix;
  const body = [
    ...found(details, width),
    ...labelled('why', shown(why), style, width),
    ...labelled('fix', fix, style, width),
    ...labelled('state', shown(state), style, width),
  ];
  return withExit([...headline(shown(what), error.code, style, width), '', ...body], exitCodeOf(error.code), style, width);
}

function headline(what: string, code: string, style: Style, width: number): string[] {
  const tag = `[${code}]`;
  const [first = '', ...rest] = wrap(clean(what), width - 2);
  const lines = [`${style.bad(MARK.failed)} ${style.bold(first)}`, ...rest.map((line) => `  ${style.bold(line)}`)];
  const last = lines.pop() ?? '';
  const together = spread(last, tag, width);
  return together === undefined ? [...lines, last, spread('', tag, width) ?? tag] : [...lines, together];
}

function found(details: readonly string[], width: number): string[] {
  if (details.length === 0) return [];
  const told = details.slice(0, MOST_DETAILS).flatMap((line) => clean(shown(line)).split('\n'));
  const more = details.length - MOST_DETAILS;
  const lines = told.flatMap((line) =>
    wrap(line, width - 6).map((part, index) => (index === 0 ? `  ${part}` : `      ${part.trimStart()}`)),
  );
  return [...lines, ...(more > 0 ? [`  … and ${more} more; --json lists all`] : []), ''];
}

function labelled(label: string, text: string | undefined, style: Style, width: number): string[] {
  if (text === undefined || text === '') return [];
  const head = `  ${style.dim(label.padEnd(LABEL_WIDTH))}`;
  const indent = ' '.repeat(2 + LABEL_WIDTH);
  return wrap(clean(text), width - indent.length).map((line, index) => (index === 0 ? head : indent) + line);
}

function shown(text: string | undefined): string {
  return excerpt(text ?? '', MOST_LETTERS);
}

function withExit(lines: readonly string[], exit: number, style: Style, width: number): string[] {
  const mark = style.dim(`exit ${exit}`);
  const trimmed = [...lines];
  while (trimmed.at(-1) === '') trimmed.pop();
  const last = trimmed.pop() ?? '';
  const together = spread(last, mark, width);
  return together === undefined ? [...trimmed, last, spread('', mark, width) ?? mark] : [...trimmed, together];
}
