import { stripVTControlCharacters } from 'node:util';

/** Columns that text takes on a terminal, colours not counted. */
export function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** `text` cut to `width` columns, `…` at the end when something was left out. Plain text only. */
export function truncate(text: string, width: number): string {
  const letters = Array.from(text);
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** `text` cut to `width` columns in its middle: the end of a reference is its tag. Plain text only. */
export function truncateMiddle(text: string, width: number): string {
  const letters = Array.from(text);
  if (letters.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${letters.slice(0, width - 1 - end).join('')}…${letters.slice(letters.length - end).join('')}`;
}

/**
 * Lines of at most `width` columns, broken at spaces; a word that is longer stays whole so that it can be copied, and so
 * does a line that is indented by four or more: a line to copy into a file.
 */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => (paragraph.startsWith('    ') ? [paragraph] : wrapParagraph(paragraph, width)));
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const indent = /^ */.exec(paragraph)?.[0] ?? '';
  const lines: string[] = [];
  let line = indent;
  for (const word of paragraph.split(' ').filter((part) => part !== '')) {
    const longer = line.trim() === '' ? line + word : `${line} ${word}`;
    if (widthOf(longer) <= width || line.trim() === '') {
      line = longer;
      continue;
    }
    lines.push(line);
    line = indent + word;
  }
  return [...lines, line];
}

/** `left` and `right` on one line of `width` columns; undefined when they don't fit with two spaces between. */
export function spread(left: string, right: string, width: number): string | undefined {
  const gap = width - widthOf(left) - widthOf(right);
  return gap < 2 ? undefined : left + ' '.repeat(gap) + right;
}
