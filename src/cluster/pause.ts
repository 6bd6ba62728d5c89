import { setTimeout as sleep } from 'node:timers/promises';

/** Waits that many milliseconds. @throws the reason of the signal, not Node's own AbortError */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
