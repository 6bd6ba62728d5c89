import { table } from '../table.ts';
import { padEnd, widthOf, wrap } from '../text.ts';

/** Columns where the screen is not known: what a log, and every terminal, has. */
export const WIDTH = 80;
/** Columns for what is said of a thing beside its name; below it where there are fewer. */
const NARROWEST = 32;
/** Stands for a space that no line is broken at: the one letter that no path has. */
const KEPT = '\0';

/** A path in a line that may be wrapped: it is copied as it is, so its spaces are no place to break. */
export function whole(path: string): string {
  return path.replaceAll(' ', KEPT);
}

/** A paragraph behind a mark or an indent; its later lines begin below its first word. */
export function said(lead: string, text: string, width: number): string[] {
  return column(lead, text, 0, width);
}

/** `✔ suite.tar   4.4 GB` on one line, or what is said of it below. */
export function headed(lead: string, head: string, facts: string, width: number): string[] {
  const line = `${lead}${head}   ${facts}`;
  if (facts !== '' && widthOf(line) <= width) return [shown(line)];
  return [...said(lead, head, width), ...(facts === '' ? [] : said(' '.repeat(Math.max(2, widthOf(lead))), facts, width))];
}

export interface Row {
  /** A mark, or an indent. */
  readonly lead: string;
  readonly cells: readonly string[];
}

/** Rows in columns; what the last cell of one says goes on below where its line is full. */
export function rowLines(rows: readonly Row[], width: number): string[] {
  return rowBlocks(rows, width).flat();
}

/** The same, the lines of each row by themselves. */
export function rowBlocks(rows: readonly Row[], width: number): string[][] {
  const heads = table(rows.map(({ cells }) => cells.slice(0, -1)));
  const widthOfColumn = (at: number): number =>
    Math.max(0, ...rows.map(({ cells }) => (at < cells.length - 1 ? widthOf(cells[at] ?? '') : 0)));
  return rows.map(({ lead, cells }, index) => {
    const start = cells.slice(0, -1).reduce((sum, _, at) => sum + widthOfColumn(at) + 2, 0);
    return column(lead, `${padEnd(heads[index] ?? '', start)}${cells.at(-1) ?? ''}`.trimEnd(), start, width);
  });
}

/** @param start column where its last part begins, which goes on there; further left where little room would be */
function column(lead: string, text: string, start: number, width: number): string[] {
  const indent = widthOf(lead);
  if (indent + widthOf(text) <= width) return [shown(`${lead}${text}`.trimEnd())];
  const below = start > 0 && width - indent - start < NARROWEST ? 2 : start;
  const room = width - indent - below;
  const head = text.slice(0, start).trimEnd();
  const [first = '', ...rest] = wrap(text.slice(start), room);
  const lines =
    below === start
      ? [`${text.slice(0, start)}${first}`, ...rest]
      : // Columns of names that long are none any more.
        [...(indent + widthOf(head) <= width ? [head] : wrap(head, room)), first, ...rest];
  return lines.map((line, index) => shown(index === 0 ? `${lead}${line}` : `${' '.repeat(indent + below)}${line}`));
}

function shown(line: string): string {
  return line.replaceAll(KEPT, ' ');
}
