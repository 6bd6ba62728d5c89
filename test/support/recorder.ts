import type { Output } from '../../src/cli/output.ts';
import { NO_STYLE } from '../../src/cli/style.ts';

/** An output that keeps its lines: a log file of 80 columns. */
export function recorder(): Output & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, style: NO_STYLE, isTerminal: false, width: 80, line: (text) => lines.push(text) };
}
