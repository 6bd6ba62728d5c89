import type { Transform } from 'node:stream';
import { messageOf } from '../core/errors.ts';

/** Bytes of one piece that a decompressor gives. Not the size of Node's pool, so that a whole piece never lies in it. */
export const PIECE = 128 * 1024;

/**
 * What a decompressor of `node:zlib` makes of the bytes; made with `chunkSize: PIECE`. A piece is good until the next one is
 * asked for: its memory is then given back at once. Left to the collector, pieces of a fast stream pile up by the 100 MB.
 * Of the source, one chunk is held at a time.
 */
export async function* inflated(source: AsyncIterable<Uint8Array>, decompressor: Transform): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let wake: () => void = () => undefined;
  const end: { reason?: Error; ended: boolean } = { ended: false };
  const over = (reason?: unknown): void => {
    end.ended = true;
    if (reason !== undefined) end.reason ??= reason instanceof Error ? reason : new Error(messageOf(reason));
    wake();
  };
  decompressor.on('data', (piece: Uint8Array) => {
    decompressor.pause();
    pieces.push(piece);
    wake();
  });
  decompressor.on('end', () => {
    over();
  });
  decompressor.on('error', over);
  const feeding = feed(source, decompressor).catch(over);
  try {
    for (;;) {
      const piece = pieces.shift();
      if (piece !== undefined) {
        yield piece;
        giveBack(piece);
      } else if (end.ended) {
        break;
      } else {
        const { promise, resolve } = Promise.withResolvers<undefined>();
        wake = () => {
          resolve(undefined);
        };
        decompressor.resume();
        await promise;
      }
    }
    if (end.reason !== undefined) throw end.reason;
  } finally {
    decompressor.destroy();
    await feeding;
  }
}

/** Asks for a chunk only when the one before was used up: its memory may be used again. */
async function feed(source: AsyncIterable<Uint8Array>, decompressor: Transform): Promise<void> {
  for await (const chunk of source) {
    if (!(await written(decompressor, chunk))) return;
  }
  decompressor.end();
}

/** False when nobody wants more. */
async function written(decompressor: Transform, chunk: Uint8Array): Promise<boolean> {
  if (decompressor.destroyed || decompressor.writableEnded) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const closed = (): void => {
    resolve(false);
  };
  decompressor.once('close', closed);
  decompressor.write(chunk, (error) => {
    resolve(error === undefined || error === null);
  });
  try {
    return await promise;
  } finally {
    decompressor.off('close', closed);
  }
}

/** Node fills a piece's memory from its start, hands it out part by part, and never touches it after its last byte. */
function giveBack({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === PIECE && byteOffset + byteLength === PIECE) buffer.transfer(0);
}
