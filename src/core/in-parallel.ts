import { setMaxListeners } from 'node:events';

/**
 * Runs `work` for every item, so many at a time, begun in their order. The first failure stops the others through the signal that
 * each is given, and is thrown when all have ended: nothing is left running behind.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  concurrency: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const combined = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  // Every request listens to it; a warning about that many helps nobody.
  setMaxListeners(0, combined);
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      if (combined.aborted) return;
      try {
        await work(next.value, combined);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker));
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
