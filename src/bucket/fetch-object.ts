import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HashPool } from '../bundle/hash-pool.ts';
import { outputError, needSpace } from '../bundle/output-error.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import { parseDigest, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { ObjectStore, StoredHead } from '../store/port.ts';
import { openFetchJournal } from './fetch-journal.ts';
import { hashRange } from './hash-range.ts';
import { base64Of, checksumOf, promiseOf, type Promised } from './object-digest.ts';
import { partsOf, partSizeOf, type PartRange } from './part-size.ts';
import type { TransferOptions } from './publish-object.ts';

/** An object on this machine. */
export interface FetchedObject {
  readonly path: string;
  readonly size: number;
  /** Whether these bytes are what the publisher promised; false when the object promises nothing. */
  readonly isPromised: boolean;
  readonly outcome: 'written' | 'unchanged';
  readonly fetchedBytes: number;
  /** Of an interrupted run: hashed again, not fetched again. */
  readonly keptBytes: number;
}

export interface FetchOptions extends TransferOptions {
  /** Looks at the whole file before it gets its name; throws when it is not what it should be. */
  readonly examine?: (path: string, isPromised: boolean) => Promise<void>;
}

const CONNECTIONS = 6;

/**
 * Brings an object to `target`, several of its parts at once, each straight to its place in `target.part/content`. Interrupted, the
 * same call goes on. The file gets its name when it is what the publisher promised and `examine` is content.
 * @throws DeliverError E_STORE*, E_DIGEST, E_DISK_FULL, E_OUTPUT, and what `examine` throws
 */
export async function fetchObject(
  store: ObjectStore,
  head: StoredHead,
  target: string,
  options: FetchOptions = {},
): Promise<FetchedObject> {
  const promised = promiseOf(head, partSizeOf(head.size));
  await mkdir(dirname(target), { recursive: true });
  const unlock = await lockOutput(target);
  try {
    const facts = { path: target, size: head.size, isPromised: promised !== undefined };
    if (promised !== undefined && (await isThere(target, head.size, promised, options.signal))) {
      options.onBytes?.(head.size);
      return { ...facts, outcome: 'unchanged', fetchedBytes: 0, keptBytes: 0 };
    }
    const folder = `${target}.part`;
    await mkdir(folder, { recursive: true });
    const counts = await fill(store, head, folder, promised, options);
    await options.examine?.(join(folder, 'content'), promised !== undefined);
    await rename(join(folder, 'content'), target);
    await rm(join(folder, 'journal'), { force: true });
    await rmdir(folder);
    return { ...facts, outcome: 'written', ...counts };
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw outputError(target, error);
  } finally {
    await unlock();
  }
}

async function fill(
  store: ObjectStore,
  head: StoredHead,
  folder: string,
  promised: Promised | undefined,
  options: FetchOptions,
): Promise<Pick<FetchedObject, 'fetchedBytes' | 'keptBytes'>> {
  const { concurrency = CONNECTIONS, onBytes = () => undefined, signal = new AbortController().signal } = options;
  const path = join(folder, 'content');
  const handle = await open(path, 'a+').then(async (made) => {
    await made.close();
    return open(path, 'r+');
  });
  const file = { path, handle };
  try {
    const { blocks, size } = await handle.stat();
    await needSpace(folder, head.size - blocks * 512);
    const ranges = partsOf(head.size);
    const name = { object: store.nameOf(head.key), etag: head.etag, size: head.size, range: partSizeOf(head.size) };
    const journal = await openFetchJournal(join(folder, 'journal'), name, size === head.size);
    try {
      await handle.truncate(head.size);
      const claimed = ranges.filter(({ number }) => journal.finished.has(number));
      const digests = await hashed(file, claimed, signal);
      const missing = ranges.filter(({ number }) => digests.get(number) !== journal.finished.get(number) || !digests.has(number));
      const fetchedBytes = missing.reduce((sum, range) => sum + range.size, 0);
      onBytes(head.size - fetchedBytes);
      await inParallel(missing, concurrency, signal, async (range, rangeSignal) => {
        const digest = await fetchRange(store, head, range, { handle, onBytes }, rangeSignal);
        await journal.append(range.number, digest);
        digests.set(range.number, digest);
      });
      await handle.sync();
      const got = await whatCame(file, head.size, promised, digests, signal);
      if (got !== undefined) {
        await journal.forget();
        throw notPromised(store.nameOf(head.key), got);
      }
      return { keptBytes: head.size - fetchedBytes, fetchedBytes };
    } finally {
      await journal.close();
    }
  } finally {
    await handle.close();
  }
}

/** Tries of one range: the library tries a request again, but not an answer that broke off in the middle. */
const TRIES = 3;

async function fetchRange(
  store: ObjectStore,
  head: StoredHead,
  { offset, size }: PartRange,
  { handle, onBytes }: { readonly handle: FileHandle; readonly onBytes: (count: number) => void },
  signal: AbortSignal,
): Promise<Digest> {
  for (let attempt = 1; ; attempt++) {
    let came = 0;
    try {
      const hash = createHash('sha256');
      for await (const chunk of size === 0 ? [] : await store.read(head.key, { etag: head.etag, offset, size }, signal)) {
        if (came + chunk.byteLength > size) throw otherRange(store.nameOf(head.key), `More than ${String(size)} bytes came.`);
        hash.update(chunk);
        await writeAll(handle, chunk, offset + came);
        came += chunk.byteLength;
        onBytes(chunk.byteLength);
      }
      if (came === size) return parseDigest(`sha256:${hash.digest('hex')}`);
      throw otherRange(store.nameOf(head.key), `${String(came)} of ${String(size)} bytes came.`);
    } catch (error) {
      if (signal.aborted || attempt === TRIES || !(error instanceof DeliverError) || error.code !== 'E_STORE') throw error;
      onBytes(-came);
    }
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await handle.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten;
}

/** Threads that hash what is there already; each costs about 20 MB. */
const THREADS = 2;

/** What ranges of a file are now, by their number. */
async function hashed(
  file: { readonly path: string; readonly handle: FileHandle },
  ranges: readonly PartRange[],
  signal: AbortSignal,
): Promise<Map<number, Digest>> {
  const digests = new Map<number, Digest>();
  const pool = new HashPool();
  try {
    await inParallel(ranges, Math.min(THREADS, pool.size), signal, async (range, rangeSignal) => {
      digests.set(range.number, await hashRange(pool, file, range, () => undefined, rangeSignal));
    });
  } finally {
    await pool.close();
  }
  return digests;
}

/**
 * Undefined when the file is what was promised; else both, to be told.
 * @param digests of all its parts, so that it need not be read again where the promise is about them
 */
async function whatCame(
  file: { readonly path: string; readonly handle: FileHandle },
  size: number,
  promised: Promised | undefined,
  digests: ReadonlyMap<number, Digest>,
  signal: AbortSignal,
): Promise<{ readonly expected: string; readonly got: string } | undefined> {
  if (promised === undefined) return undefined;
  if (promised.kind === 'parts') {
    const inOrder = partsOf(size).map(({ number }) => digests.get(number) ?? parseDigest(''));
    const got = checksumOf(inOrder.map(base64Of));
    return got === promised.checksum ? undefined : { expected: promised.checksum, got };
  }
  const got = (await hashed(file, [{ number: 1, offset: 0, size }], signal)).get(1) ?? '';
  return got === promised.digest ? undefined : { expected: promised.digest, got };
}

async function isThere(target: string, size: number, promised: Promised, signal: AbortSignal | undefined): Promise<boolean> {
  const handle = await open(target, 'r').catch(() => undefined);
  if (handle === undefined) return false;
  try {
    if ((await handle.stat()).size !== size) return false;
    const file = { path: target, handle };
    const never = signal ?? new AbortController().signal;
    const digests = promised.kind === 'parts' ? await hashed(file, partsOf(size), never) : new Map<number, Digest>();
    return (await whatCame(file, size, promised, digests, never)) === undefined;
  } finally {
    await handle.close();
  }
}

function otherRange(name: string, why: string): DeliverError {
  return new DeliverError('E_STORE', { what: `${name}: the store gave another range than was asked for.`, why });
}

function notPromised(name: string, { expected, got }: { readonly expected: string; readonly got: string }): DeliverError {
  return new DeliverError('E_DIGEST', {
    what: `${name} is not what its publisher promised.`,
    why: `expected ${expected}\ngot      ${got}`,
    fix: 'Publish it again; if it stays so, the store changes what it keeps.',
    state: 'Nothing got the name of the file; the next run fetches everything anew.',
  });
}
