import type { FileHandle } from 'node:fs/promises';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';

/** Bytes that can be read anywhere: a file now, the volumes of a carry set later. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /** Fills `target` from `offset`; returns fewer bytes only at the end. @throws DeliverError E_FILE_UNREADABLE */
  read(target: Uint8Array, offset: number): Promise<number>;
}

const CHUNK = 256 * 1024;
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
  return fill(source, Buffer.allocUnsafe(length), offset);
}

/**
 * A range in order, in chunks of 256 KiB; ends early where the source does.
 * @param memory `reused`: a chunk is good until the next but one is asked for; `fresh`: each is its own memory
 */
export async function* readRange(
  source: ByteSource,
  offset: number,
  size: number,
  signal?: AbortSignal,
  memory: 'reused' | 'fresh' = 'fresh',
): AsyncGenerator<Buffer> {
  const ahead: Promise<Buffer>[] = [];
  const space = memory === 'fresh' ? allocate : rotating(size);
  let next = offset;
  const end = offset + size;
  try {
    while (next < end || ahead.length > 0) {
      signal?.throwIfAborted();
      while (next < end && ahead.length <= READ_AHEAD) {
        const target = space(Math.min(CHUNK, end - next));
        next += target.byteLength;
        const read = fill(source, target, next - target.byteLength);
        // The error is thrown when its turn comes; until then nobody waits for it.
        read.catch(() => undefined);
        ahead.push(read);
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

function allocate(length: number): Buffer {
  return Buffer.allocUnsafe(length);
}

/** The same few buffers in turn: those being read, the one just handed out and the one before it. */
function rotating(size: number): (length: number) => Buffer {
  const ring: Buffer[] = [];
  let turn = 0;
  return (length) => {
    const at = turn++ % (READ_AHEAD + 2);
    return (ring[at] ??= Buffer.allocUnsafeSlow(Math.min(CHUNK, size))).subarray(0, length);
  };
}

async function fill(source: ByteSource, target: Buffer, offset: number): Promise<Buffer> {
  return target.subarray(0, await source.read(target, offset));
}

/** The error for bytes that the medium does not give. */
export function unreadable(path: string, offset: number, error: unknown): DeliverError {
  return new DeliverError('E_FILE_UNREADABLE', {
    what: `${path} can't be read at byte ${String(offset)}.`,
    why: systemCode(error) === 'EIO' ? 'The medium or disk reported an error (EIO).' : messageOf(error),
    fix: 'Copy the bundle again, from a good medium.',
    cause: error,
  });
}
