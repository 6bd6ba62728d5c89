import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours, used only where they mean something. `styleText` leaves them out for files, pipes and NO_COLOR. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

export function styleFor(stream: NodeJS.WritableStream): Style {
  const paint =
    (format: Format) =>
    (text: string): string =>
      styleText(format, text, { stream });
  return { good: paint('green'), bad: paint('red'), warn: paint('yellow'), dim: paint('dim'), bold: paint('bold') };
}

const plain = (text: string): string => text;

/** No colours, for tests and files. */
export const NO_STYLE: Style = { good: plain, bad: plain, warn: plain, dim: plain, bold: plain };
