import { padEnd, padStart, widthOf } from './text.ts';

export interface TableOptions {
  /** Indexes of columns whose text is aligned to the right (amounts). */
  readonly right?: readonly number[];
  /** Spaces before every row. */
  readonly indent?: number;
}

/** Rows as aligned lines, two spaces between columns, no rules and no trailing spaces. */
export function table(rows: readonly (readonly string[])[], options: TableOptions = {}): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return options.right?.includes(column) === true ? padStart(cell, width) : padEnd(cell, width);
    });
    return (' '.repeat(options.indent ?? 0) + cells.join('  ')).trimEnd();
  });
}
