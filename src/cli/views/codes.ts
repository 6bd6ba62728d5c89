import { styleText } from 'node:util';
import { qrLines } from '../../receipt/qr-image.ts';

/** QR codes on a screen, each with its number when there are several. */
export function viewCodes(codes: readonly string[], stream: NodeJS.WriteStream = process.stdout): string[] {
  return codes.flatMap((code, at) => [
    '',
    ...(codes.length === 1 ? [] : [`Code ${String(at + 1)} of ${String(codes.length)}`]),
    ...drawn(code, stream),
    ...tooWide(code, stream),
  ]);
}

/** Black on white where there are colours, whatever the theme; else a full block is light, as on most terminals. */
function drawn(code: string, stream: NodeJS.WriteStream): readonly string[] {
  const ink = (line: string): string => styleText(['black', 'bgWhiteBright'], line, { stream });
  const hasColours = ink('x') !== 'x';
  return qrLines(code, !hasColours).map((line) => (hasColours ? ink(line) : line));
}

function tooWide(code: string, stream: NodeJS.WriteStream): readonly string[] {
  const needed = qrLines(code, false)[0]?.length ?? 0;
  if (!stream.isTTY || stream.columns >= needed) return [];
  return [`  This terminal is too narrow for it: ${String(needed)} columns, or --qr-file receipt.svg`];
}
