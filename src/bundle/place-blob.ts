import type { FileHandle } from 'node:fs/promises';
import { Verifier, type Digest } from '../core/digest.ts';
import { DeliverError, messageOf } from '../core/errors.ts';

/** Bytes gathered for one write; with the one under way, twice this is what a blob in flight holds in memory. */
const BATCH = 256 * 1024;

export interface Placement {
  readonly digest: Digest;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

/**
 * Writes a blob at its final place, hashing on the way; while one batch is being written the next is received.
 * @param source where the bytes come from, for messages
 * @param onBytes called with the number of bytes received since the last call
 * @throws DeliverError E_SIZE before a byte is written past the place, E_DIGEST at the end, E_SOURCE when the source fails
 */
export async function placeBlob(
  handle: FileHandle,
  place: Placement,
  bytes: AsyncIterable<Uint8Array>,
  source: string,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const verifier = new Verifier(place, source);
  let position = place.offset;
  let batch: Uint8Array[] = [];
  let gathered = 0;
  let writing = Promise.resolve();
  const flush = async (): Promise<void> => {
    await writing;
    writing = writeAll(handle, batch, position);
    // Whoever awaits `writing` next gets the error; this only keeps it from being “unhandled” until then.
    writing.catch(() => undefined);
    position += gathered;
    batch = [];
    gathered = 0;
  };
  try {
    for await (const chunk of untilAborted(bytes, source, signal)) {
      verifier.update(chunk);
      batch.push(chunk);
      gathered += chunk.byteLength;
      onBytes(chunk.byteLength);
      if (gathered >= BATCH) await flush();
    }
    await flush();
    verifier.finish();
  } finally {
    // The file must not be closed, nor the blob tried again, under a write that still runs.
    await writing;
  }
}

async function writeAll(handle: FileHandle, batch: readonly Uint8Array[], position: number): Promise<void> {
  let rest = batch.filter((chunk) => chunk.byteLength > 0);
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = after(rest, bytesWritten);
  }
}

/** What is left of a gathered write of which only the first `count` bytes were taken. */
function after(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  return chunks.flatMap((chunk) => {
    const taken = Math.min(left, chunk.byteLength);
    left -= taken;
    return taken === chunk.byteLength ? [] : [chunk.subarray(taken)];
  });
}

/** The same bytes; a source that hangs is left as soon as the signal fires. */
async function* untilAborted(bytes: AsyncIterable<Uint8Array>, source: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if (error instanceof DeliverError || signal.aborted) throw error;
    throw new DeliverError('E_SOURCE', { what: `${source} broke off.`, why: messageOf(error), cause: error });
  } finally {
    // Not awaited: a generator that hangs in next() would hang in return() too.
    iterator.return?.().catch(() => undefined);
  }
}

/** Like Promise.race with the abort, without leaving a reaction behind for every chunk. */
export async function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const abort = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
