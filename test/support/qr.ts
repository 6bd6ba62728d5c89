import { inflateSync } from 'node:zlib';
import jsqr from 'jsqr';

/** A picture of grey values, 0 dark to 255 light, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8Array;
}

/** What another's decoder reads in a picture; undefined when it sees no code. */
export function scan({ width, height, grey }: Picture): string | undefined {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (const [at, value] of grey.entries()) rgba.set([value, value, value, 255], at * 4);
  // A handheld scanner shows no second chance with swapped colours either.
  return jsqr.default(rgba, width, height, { inversionAttempts: 'dontInvert' })?.data;
}

/** Half blocks on a screen with light letters on dark (`light` 255) or the other way round, enlarged. */
export function pictureOfLines(lines: readonly string[], ink: 0 | 255): Picture {
  const scale = 4;
  const width = (lines[0]?.length ?? 0) * scale;
  const height = lines.length * 2 * scale;
  const grey = new Uint8Array(width * height).fill(255 - ink);
  for (const [line, text] of lines.entries()) {
    for (const [column, letter] of Array.from(text).entries()) {
      for (const half of [0, 1]) {
        if (letter !== '█' && letter !== (half === 0 ? '▀' : '▄')) continue;
        fillSquare({ width, height, grey }, column, line * 2 + half, scale, ink);
      }
    }
  }
  return { width, height, grey };
}

/** An SVG whose dark modules are strokes of one unit: `M4 4.5h7m1 0h2…`. */
export function pictureOfSvg(svg: string): Picture {
  const scale = 4;
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const width = side * scale;
  const picture = { width, height: width, grey: new Uint8Array(width * width).fill(255) };
  const path = /<path stroke="#000000" d="([^"]+)"/.exec(svg)?.[1] ?? '';
  let [x, y] = [0, 0];
  for (const [, command, first = '0', second = '0'] of path.matchAll(/([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
    if (command === 'M') [x, y] = [Number(first), Number(second)];
    else if (command === 'm') [x, y] = [x + Number(first), y + Number(second)];
    else for (let end = x + Number(first); x < end; x++) fillSquare(picture, x, Math.floor(y), scale, 0);
  }
  return picture;
}

/** A PNG of 8 bits a channel, without interlacing (PNG, third edition, sections 9 and 11). */
export function pictureOfPng(png: Buffer): Picture {
  const [width, height, type] = [png.readUInt32BE(16), png.readUInt32BE(20), png.readUInt8(25)];
  const channels = { 0: 1, 2: 3, 6: 4 }[type];
  if (channels === undefined || png.readUInt8(24) !== 8) throw new Error(`PNG of type ${String(type)}`);
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length;) {
    const size = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + size));
    at += size + 12;
  }
  const data = inflateSync(Buffer.concat(parts));
  const row = width * channels;
  const grey = new Uint8Array(width * height);
  let before = new Uint8Array(row);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (row + 1)] ?? 0;
    const line = new Uint8Array(row);
    for (let x = 0; x < row; x++) {
      const [left, up, corner] = [line[x - channels] ?? 0, before[x] ?? 0, before[x - channels] ?? 0];
      line[x] = (data[y * (row + 1) + 1 + x] ?? 0) + predicted(filter, left, up, corner);
    }
    for (let x = 0; x < width; x++) grey[y * width + x] = line[x * channels] ?? 0;
    before = line;
  }
  return { width, height, grey };
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function fillSquare({ width, grey }: Picture, column: number, row: number, scale: number, value: number): void {
  for (let y = 0; y < scale; y++)
    grey.fill(value, (row * scale + y) * width + column * scale, (row * scale + y) * width + (column + 1) * scale);
}
