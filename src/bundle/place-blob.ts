import { refuseOther, wrongSize, type Digest } from '../core/digest.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { BlobTarget } from './blob-target.ts';

export interface Placement {
  readonly digest: Digest;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

/**
 * Writes a blob at its final place, hashing on the way; while one batch is being hashed and written the next is received.
 * @param source where the bytes come from, for messages
 * @param onBytes called with the number of bytes received since the last call
 * @throws DeliverError E_SIZE before a byte is written past the place, E_DIGEST at the end, E_SOURCE when the source fails
 */
export async function placeBlob(
  target: BlobTarget,
  place: Placement,
  bytes: AsyncIterable<Uint8Array>,
  source: string,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const batches = new Batches(target, place.offset);
  let received = 0;
  try {
    for await (const chunk of untilAborted(bytes, source, signal)) {
      received += chunk.byteLength;
      if (received > place.size) throw wrongSize(place, 'more', source);
      onBytes(chunk.byteLength);
      for (let rest = chunk; rest.byteLength > 0;) rest = rest.subarray(await batches.take(rest));
    }
    await batches.flush();
  } finally {
    // The file must not be closed, nor the blob tried again, under a write that still runs.
    await batches.written;
  }
  refuseOther(place, { size: received, digest: await target.digest() }, source);
}

/** Gathers chunks into two buffers in turn: one is filled while the other is being written. */
class Batches {
  readonly #target: BlobTarget;
  #buffer: Uint8Array;
  #other: Uint8Array;
  #filled = 0;
  #position: number;
  written = Promise.resolve();

  constructor(target: BlobTarget, offset: number) {
    this.#target = target;
    this.#position = offset;
    [this.#buffer, this.#other] = target.buffers;
  }

  /** Copies what fits, because the source uses its memory again. @returns how many bytes */
  async take(chunk: Uint8Array): Promise<number> {
    if (this.#filled === this.#buffer.byteLength) await this.flush();
    const count = Math.min(chunk.byteLength, this.#buffer.byteLength - this.#filled);
    this.#buffer.set(chunk.subarray(0, count), this.#filled);
    this.#filled += count;
    return count;
  }

  /** Begins to write what is there, as soon as the write before is done. */
  async flush(): Promise<void> {
    await this.written;
    const full = this.#buffer.subarray(0, this.#filled);
    this.written = this.#target.put(full, this.#position);
    // Whoever awaits `written` next gets the error; this only keeps it from being “unhandled” until then.
    this.written.catch(() => undefined);
    this.#position += full.byteLength;
    this.#filled = 0;
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
  }
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
  // It may fail when nobody waits for it any more.
  work.catch(() => undefined);
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
