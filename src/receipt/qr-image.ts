import { create, toBuffer, toString } from 'qrcode';
import { PRINTED_LEVEL, TERMINAL_LEVEL } from './receipt-codes.ts';

/** Modules of light around a code (ISO/IEC 18004). */
const QUIET = 4;

/**
 * A code as lines of half blocks, two modules in one character.
 * @param inverted a full block is light: for terminals with light letters on dark
 */
export function qrLines(text: string, inverted: boolean): readonly string[] {
  const { modules } = create(text, { errorCorrectionLevel: TERMINAL_LEVEL });
  const side = modules.size + 2 * QUIET;
  const isDark = (row: number, column: number): boolean =>
    row >= QUIET && column >= QUIET && row < side - QUIET && column < side - QUIET
      ? modules.get(row - QUIET, column - QUIET) !== 0
      : false;
  const isInk = (row: number, column: number): boolean => row < side && isDark(row, column) !== inverted;
  return Array.from({ length: Math.ceil(side / 2) }, (_, line) =>
    Array.from({ length: side }, (__, column) => {
      const [upper, lower] = [isInk(2 * line, column), isInk(2 * line + 1, column)];
      return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }).join(''),
  );
}

/** A code as the content of a file. */
export async function qrFile(text: string, format: 'svg' | 'png'): Promise<string | Buffer> {
  const wanted = { errorCorrectionLevel: PRINTED_LEVEL, margin: QUIET } as const;
  if (format === 'svg') return toString(text, { ...wanted, type: 'svg' });
  return toBuffer(text, { ...wanted, type: 'png', scale: 6 });
}
