import { z } from 'zod';
import { canonicalJson } from '../core/canonical-json.ts';
import type { Digest } from '../core/digest.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { ObjectStore, StoredObject } from '../store/port.ts';
import { digestOfKey, planOfLock, poolBlobs, poolKeys, readObject, type PoolKeys } from './pool.ts';
import { beginSweep } from './sweep.ts';

export interface CollectOptions {
  /** Milliseconds. A blob is deleted when it is older than this, and was marked longer ago than this. */
  readonly window: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export interface Collected {
  readonly releases: number;
  readonly keptBlobs: number;
  /** Needed by no release, but not deleted this time: too young, or marked now. */
  readonly markedBlobs: number;
  readonly markedBytes: number;
  /** With `dryRun`: would be deleted. */
  readonly deletedBlobs: number;
  readonly deletedBytes: number;
}

const Marks = z.strictObject({ marks: z.record(z.string(), z.number()) });
type Marks = Readonly<Record<string, number>>;

/** An intent of a publish that was never ended counts this long. Milliseconds. */
const INTENT_TIME = 7 * 24 * 3600_000;
const REMOVE_AT_ONCE = 500;

/**
 * Deletes blobs that no release of a pool needs, in two runs: the first marks them, a later one deletes those whose mark is older
 * than the window and that nobody wrote since. What a running publish needs is kept by its intent.
 * @throws DeliverError E_BUNDLE when a lock can't be read: then nobody knows what is needed, and nothing is deleted
 */
export async function collectGarbage(store: ObjectStore, prefix: string, options: CollectOptions): Promise<Collected> {
  const keys = poolKeys(prefix);
  const { signal, dryRun } = options;
  if (dryRun) return (await survey(store, keys, new Date(), options)).collected;
  const sweep = await beginSweep(store, keys, signal);
  try {
    const { collected, marks, garbage } = await survey(store, keys, sweep.now, options);
    let deleted: readonly StoredObject[] = [];
    for (let at = 0; at < garbage.length && sweep.mayDelete(); at += REMOVE_AT_ONCE) {
      const batch = garbage.slice(at, at + REMOVE_AT_ONCE);
      await store.remove(
        batch.map(({ key }) => key),
        signal,
      );
      deleted = [...deleted, ...batch];
    }
    const gone = new Set(deleted.map(({ key }) => key));
    const left = Object.fromEntries(Object.entries(marks).filter(([key]) => !gone.has(key)));
    await store.put(keys.marks, Buffer.from(canonicalJson({ marks: left })), undefined, signal);
    return { ...collected, deletedBlobs: deleted.length, deletedBytes: bytesOf(deleted) };
  } finally {
    await sweep.end();
  }
}

async function survey(
  store: ObjectStore,
  keys: PoolKeys,
  now: Date,
  { window, signal }: CollectOptions,
): Promise<{ readonly collected: Collected; readonly marks: Marks; readonly garbage: readonly StoredObject[] }> {
  const before = await readMarks(store, keys, signal);
  const { needed, releases } = await neededBlobs(store, keys, now, signal);
  const marks: Record<string, number> = {};
  const garbage: StoredObject[] = [];
  const marked: StoredObject[] = [];
  let keptBlobs = 0;
  for await (const object of store.list(keys.blobs, signal)) {
    const digest = digestOfKey(keys, object.key);
    if (digest === undefined || needed.has(digest)) {
      keptBlobs += 1;
      continue;
    }
    const written = object.modified.getTime();
    const since = before[object.key];
    // One that was written since its mark is somebody's new blob: its time begins anew. Stores tell whole seconds.
    const isNew = since === undefined || written >= since;
    const markedAt = isNew ? now.getTime() : since;
    marks[object.key] = markedAt;
    const isOld = now.getTime() - written >= window && now.getTime() - markedAt >= window;
    (!isNew && isOld ? garbage : marked).push(object);
  }
  const figures = { markedBlobs: marked.length, markedBytes: bytesOf(marked) };
  const collected = { releases, keptBlobs, ...figures, deletedBlobs: garbage.length, deletedBytes: bytesOf(garbage) };
  return { collected, marks, garbage };
}

/** Intents first, locks after them: a publish writes its lock before it takes its intent away, so one of the two is seen. */
async function neededBlobs(
  store: ObjectStore,
  keys: PoolKeys,
  now: Date,
  signal: AbortSignal,
): Promise<{ readonly needed: ReadonlySet<Digest>; readonly releases: number }> {
  const needed = new Set<Digest>();
  let releases = 0;
  const add = async (object: StoredObject, isGone: 'refused' | 'passed over'): Promise<void> => {
    const bytes = await readObject(store, object.key, signal);
    if (bytes === undefined) {
      if (isGone === 'passed over') return;
      throw new DeliverError('E_STORE', { what: `${store.nameOf(object.key)} vanished while it was being read.` });
    }
    for (const { digest } of poolBlobs(planOfLock(store.nameOf(object.key), bytes, []))) needed.add(digest);
  };
  for await (const intent of store.list(keys.pending, signal)) {
    if (now.getTime() - intent.modified.getTime() < INTENT_TIME) await add(intent, 'passed over');
  }
  for await (const object of store.list(keys.locks, signal)) {
    if (object.key.endsWith('.signatures.json')) continue;
    await add(object, 'refused');
    releases += 1;
  }
  return { needed, releases };
}

async function readMarks(store: ObjectStore, keys: PoolKeys, signal: AbortSignal): Promise<Marks> {
  const bytes = await readObject(store, keys.marks, signal);
  if (bytes === undefined) return {};
  try {
    return Marks.parse(JSON.parse(bytes.toString('utf8'))).marks;
  } catch (error) {
    throw new DeliverError('E_STORE', {
      what: `${store.nameOf(keys.marks)} can’t be understood.`,
      why: messageOf(error),
      fix: 'Remove that object: the next deliver gc marks anew, and deletes nothing before the window has passed.',
      state: 'Nothing was deleted.',
      cause: error,
    });
  }
}

function bytesOf(objects: readonly StoredObject[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}
