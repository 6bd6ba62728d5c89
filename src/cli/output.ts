import { styleFor, type Style } from './style.ts';

/** Where lines for the person go. */
export interface Output {
  readonly style: Style;
  readonly isTerminal: boolean;
  /** Columns to write in: at most 100, so that lines stay readable on a wide screen; 80 when not a terminal. */
  readonly width: number;
  line(text: string): void;
}

export function outputTo(stream: NodeJS.WriteStream): Output {
  return {
    style: styleFor(stream),
    get isTerminal() {
      return stream.isTTY;
    },
    get width() {
      return stream.isTTY && stream.columns > 0 ? Math.min(stream.columns, 100) : 80;
    },
    line: (text) => {
      stream.write(`${text}\n`);
    },
  };
}
