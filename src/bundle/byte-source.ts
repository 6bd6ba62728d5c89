import type { FileHandle } from 'node:fs/promises';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';

/** Bytes that can be read anywhere: a file now, the volumes of a carry set later. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /** Fills `target` from `offset`; returns fewer bytes only at the end. @throws DeliverError E_FILE_UNREADABLE */
  read(target: Uint8Array, offset: number): Promise<number>;
}

const CHUNK = 1024 * 1024;
/** Reads that are under way while a chunk is in the consumer's hands. */
const READ_AHEAD = 2;

/** A whole file as a source. */
export function fileSource(handle: FileHandle, path: string, size: number): ByteSource {
  return {
    size,
    async read(target, offset) {
      let filled = 0;
      while (filled < target.byteLength) {
        const { bytesRead } = await handle
          .read(target, filled, target.byteLength - filled, offset + filled)
          .catch((error: unknown) => {
            throw unreadable(path, offset, error);
          });
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
  };
}

/** Exactly these bytes, fewer only where the source ends. */
export async function readAt(source: ByteSource, offset: number, length: number): Promise<Buffer> {
  const target = Buffer.allocUnsafe(length);
  return target.subarray(0, await source.read(target, offset));
}

/** A range in order, in chunks of 1 MiB, each its own memory; ends early where the source does. */
export async function* readRange(source: ByteSource, offset: number, size: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const ahead: Promise<Buffer>[] = [];
  let next = offset;
  const end = offset + size;
  try {
    while (next < end || ahead.length > 0) {
      signal?.throwIfAborted();
      while (next < end && ahead.length <= READ_AHEAD) {
        const length = Math.min(CHUNK, end - next);
        const read = readAt(source, next, length);
        // The error is thrown when its turn comes; until then nobody waits for it.
        read.catch(() => undefined);
        ahead.push(read);
        next += length;
      }
      const chunk = await ahead.shift();
      if (chunk === undefined || chunk.length === 0) return;
      yield chunk;
    }
  } finally {
    // A reader that stops early leaves reads behind; the file must not be closed under them, nor their errors escape.
    await Promise.allSettled(ahead);
  }
}

function unreadable(path: string, offset: number, error: unknown): DeliverError {
  return new DeliverError('E_FILE_UNREADABLE', {
    what: `${path} can't be read at byte ${String(offset)}.`,
    why: systemCode(error) === 'EIO' ? 'The medium or disk reported an error (EIO).' : messageOf(error),
    fix: 'Copy the bundle again, from a good medium.',
    cause: error,
  });
}
