import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeliverError } from '../core/errors.ts';
import type { ObjectStore } from '../store/port.ts';
import { readObject, type PoolKeys } from './pool.ts';

/** How long a sweep may delete, and how long publishers believe that one is under way. Milliseconds. */
const SWEEP_TIME = 10 * 60_000;
const LOOK_EVERY = 1000;

/** The right to delete blobs, for a while. */
export interface Sweep {
  /** Now, by the clock of the store: all ages are counted by it. */
  readonly now: Date;
  /** Whether there is still time; half of it is left for clocks and requests that are slow. */
  mayDelete(): boolean;
  end(): Promise<void>;
}

/** @throws DeliverError E_STORE when another sweep is under way */
export async function beginSweep(store: ObjectStore, keys: PoolKeys, signal: AbortSignal): Promise<Sweep> {
  const before = await store.head(keys.sweep, signal);
  const id = randomUUID();
  const started = performance.now();
  if (before !== undefined) {
    // A second write tells the time of the store, so the age of the first needs no clock of ours.
    const probe = `${keys.sweep}.${id}`;
    await store.put(probe, Buffer.from(id), undefined, signal);
    const now = (await store.head(probe, signal))?.modified ?? before.modified;
    await store.remove([probe], signal);
    if (now.getTime() - before.modified.getTime() < SWEEP_TIME) throw busy(store, keys);
  }
  await store.put(keys.sweep, Buffer.from(id), undefined, signal);
  const head = await store.head(keys.sweep, signal);
  if (head === undefined || (await readObject(store, keys.sweep, signal))?.toString() !== id) throw busy(store, keys);
  return {
    now: head.modified,
    mayDelete: () => performance.now() - started < SWEEP_TIME / 2,
    end: () => store.remove([keys.sweep]),
  };
}

/**
 * Waits until nobody deletes. To be called after the intent was written: a sweep that begins later reads it, one that began
 * earlier is seen here.
 * @param now by the clock of the store
 */
export async function waitForSweep(store: ObjectStore, keys: PoolKeys, now: Date, signal: AbortSignal): Promise<void> {
  for (let waited = 0; ; waited += LOOK_EVERY) {
    const sweep = await store.head(keys.sweep, signal);
    if (sweep === undefined || now.getTime() + waited - sweep.modified.getTime() >= SWEEP_TIME) return;
    await sleep(LOOK_EVERY, undefined, { signal });
  }
}

function busy(store: ObjectStore, keys: PoolKeys): DeliverError {
  return new DeliverError('E_STORE', {
    what: 'Another deliver gc is at work in this pool.',
    why: `${store.nameOf(keys.sweep)} is there, and younger than ten minutes.`,
    fix: 'Wait until it is done. One that was killed is passed over after ten minutes.',
    state: 'Nothing was deleted.',
  });
}
