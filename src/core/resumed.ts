import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_DELAY } from './retried.ts';

/** How often the transfer of one content may break without a single new byte, and in all. */
export const BARREN_TRIES = 4;
export const ALL_TRIES = 50;

export interface Resuming {
  /** What there is from an offset on; undefined when nothing is. What it throws is final. */
  from(offset: number): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Whether what broke a transfer may be gone at the next try. */
  isPassing(error: unknown): boolean;
  /** What the reader is told of what broke it for good. */
  explained(error: unknown): Promise<unknown>;
  /** Milliseconds before a try after one that brought nothing; doubles each time. */
  readonly firstDelay: number;
  readonly signal: AbortSignal | undefined;
}

/** One content, gone on with where it broke, as long as each break may pass. A chunk is good until the next one is asked for. */
export async function* resumed(first: AsyncIterable<Uint8Array>, way: Resuming): AsyncGenerator<Uint8Array> {
  const { signal } = way;
  let received = 0;
  let barren = 0;
  let bytes: AsyncIterable<Uint8Array> | undefined = first;
  for (let tries = 1; bytes !== undefined; tries++) {
    const before = received;
    try {
      for await (const chunk of bytes) {
        received += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      barren = received > before ? 0 : barren + 1;
      if (signal?.aborted === true || !way.isPassing(error) || barren >= BARREN_TRIES || tries >= ALL_TRIES)
        throw await way.explained(error);
    }
    if (barren > 0) {
      const pause = Math.min(way.firstDelay * 2 ** (barren - 1), LONGEST_DELAY);
      // What it says of an interruption is not why that was.
      await sleep(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
    bytes = await way.from(received);
  }
}

/** The bytes without so many at the front: what a server that ignores Range sends again. */
export async function* behind(bytes: AsyncIterable<Uint8Array>, skip: number): AsyncGenerator<Uint8Array> {
  let left = skip;
  for await (const chunk of bytes) {
    if (left >= chunk.byteLength) {
      left -= chunk.byteLength;
      continue;
    }
    yield left === 0 ? chunk : chunk.subarray(left);
    left = 0;
  }
}
