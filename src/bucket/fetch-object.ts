import { mkdir, open, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HashPool } from '../bundle/hash-pool.ts';
import { outputError, needSpace } from '../bundle/output-error.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import { digestOf, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { ObjectStore, StoredHead } from '../store/port.ts';
import { hashRange } from './fingerprint.ts';
import { openFetchJournal, type FetchJournal } from './fetch-journal.ts';
import { promisedDigest } from './object-digest.ts';
import type { TransferOptions } from './publish-object.ts';

/** An object on this machine. */
export interface FetchedObject {
  readonly path: string;
  readonly size: number;
  /** What the publisher promised and these bytes are; absent when the object promises nothing. */
  readonly digest?: Digest;
  readonly outcome: 'written' | 'unchanged';
  readonly fetchedBytes: number;
  /** Of an interrupted run: hashed again, not fetched again. */
  readonly keptBytes: number;
}

export interface FetchOptions extends TransferOptions {
  /** Looks at the whole file before it gets its name; throws when it is not what it should be. */
  readonly examine?: (path: string, isPromised: boolean) => Promise<void>;
}

interface Range {
  readonly index: number;
  readonly offset: number;
  readonly size: number;
}

/** Bytes of one request; with the number of requests at once, what is in memory. */
const RANGE = 4 * 1024 * 1024;
const CONNECTIONS = 6;

/**
 * Brings an object to `target`, several ranges at once, each straight to its place in `target.part/content`. Interrupted, the same
 * call goes on. The file gets its name when its sha256 is what the publisher promised and `examine` is content.
 * @throws DeliverError E_STORE*, E_DIGEST, E_DISK_FULL, E_OUTPUT, and what `examine` throws
 */
export async function fetchObject(
  store: ObjectStore,
  head: StoredHead,
  target: string,
  options: FetchOptions = {},
): Promise<FetchedObject> {
  const promised = promisedDigest(head);
  await mkdir(dirname(target), { recursive: true });
  const unlock = await lockOutput(target);
  try {
    if (promised !== undefined && (await isThere(target, head.size, promised, options.signal))) {
      options.onBytes?.(head.size);
      return { path: target, size: head.size, digest: promised, outcome: 'unchanged', fetchedBytes: 0, keptBytes: 0 };
    }
    const folder = `${target}.part`;
    await mkdir(folder, { recursive: true });
    const counts = await fill(store, head, folder, promised, options);
    await options.examine?.(join(folder, 'content'), promised !== undefined);
    await rename(join(folder, 'content'), target);
    await rm(join(folder, 'journal'), { force: true });
    await rmdir(folder);
    const known = promised === undefined ? {} : { digest: promised };
    return { path: target, size: head.size, ...known, outcome: 'written', ...counts };
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
  promised: Digest | undefined,
  options: FetchOptions,
): Promise<Pick<FetchedObject, 'fetchedBytes' | 'keptBytes'>> {
  const { signal, concurrency = CONNECTIONS, onBytes = () => undefined } = options;
  const path = join(folder, 'content');
  const handle = await open(path, 'a+').then(async (made) => {
    await made.close();
    return open(path, 'r+');
  });
  const pool = new HashPool();
  let journal: FetchJournal | undefined;
  try {
    const { blocks, size } = await handle.stat();
    await needSpace(folder, head.size - blocks * 512);
    const name = { object: store.nameOf(head.key), etag: head.etag, size: head.size, range: RANGE };
    const record = (journal = await openFetchJournal(join(folder, 'journal'), name, size === head.size));
    await handle.truncate(head.size);
    const kept = await stillThere(pool, { path, handle }, record, rangesOf(head.size), signal);
    const keptBytes = kept.reduce((sum, range) => sum + range.size, 0);
    onBytes(keptBytes);
    const missing = rangesOf(head.size).filter(({ index }) => !kept.some((range) => range.index === index));
    const buffers: Buffer[] = [];
    await inParallel(missing, concurrency, signal, async (range, rangeSignal) => {
      const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(Math.min(RANGE, head.size));
      const bytes = await readRange(store, head, range, buffer, rangeSignal);
      await handle.write(bytes, 0, bytes.byteLength, range.offset);
      await record.append(range.index, digestOf(bytes));
      buffers.push(buffer);
      onBytes(range.size);
    });
    await handle.sync();
    if (promised !== undefined) await mustBe(pool, { path, handle }, head, promised, { store, journal: record, signal });
    return { keptBytes, fetchedBytes: head.size - keptBytes };
  } finally {
    await pool.close();
    await journal?.close();
    await handle.close();
  }
}

function rangesOf(total: number): readonly Range[] {
  return Array.from({ length: Math.ceil(total / RANGE) }, (_, index) => ({
    index,
    offset: index * RANGE,
    size: Math.min(RANGE, total - index * RANGE),
  }));
}

async function readRange(
  store: ObjectStore,
  head: StoredHead,
  { offset, size }: Range,
  buffer: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  const fail = (why: string): DeliverError =>
    new DeliverError('E_STORE', { what: `${store.nameOf(head.key)}: the store gave another range than was asked for.`, why });
  let failure: unknown;
  // The library tries a request again, but not an answer that broke off in the middle.
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      let filled = 0;
      for await (const chunk of await store.read(head.key, { etag: head.etag, offset, size }, signal)) {
        if (filled + chunk.byteLength > size) throw fail(`More than ${String(size)} bytes came.`);
        buffer.set(chunk, filled);
        filled += chunk.byteLength;
      }
      if (filled === size) return buffer.subarray(0, size);
      throw fail(`${String(filled)} of ${String(size)} bytes came.`);
    } catch (error) {
      if (signal.aborted || !(error instanceof DeliverError) || error.code !== 'E_STORE') throw error;
      failure = error;
    }
  }
  throw failure;
}

/** The ranges that an earlier run finished and that are on the disk as it wrote them. */
async function stillThere(
  pool: HashPool,
  file: { readonly path: string; readonly handle: FileHandle },
  journal: FetchJournal,
  ranges: readonly Range[],
  signal: AbortSignal | undefined,
): Promise<readonly Range[]> {
  const kept: Range[] = [];
  const claimed = ranges.filter(({ index }) => journal.finished.has(index));
  await inParallel(claimed, pool.size, signal, async (range, rangeSignal) => {
    const digest = await hashRange(pool, file, range, () => undefined, rangeSignal);
    if (digest === journal.finished.get(range.index)) kept.push(range);
  });
  return kept;
}

async function mustBe(
  pool: HashPool,
  file: { readonly path: string; readonly handle: FileHandle },
  head: StoredHead,
  promised: Digest,
  { store, journal, signal }: { store: ObjectStore; journal: FetchJournal; signal: AbortSignal | undefined },
): Promise<void> {
  const never = new AbortController().signal;
  const got = await hashRange(pool, file, { offset: 0, size: head.size }, () => undefined, signal ?? never);
  if (got === promised) return;
  await journal.forget();
  throw new DeliverError('E_DIGEST', {
    what: `${store.nameOf(head.key)} is not what its publisher promised.`,
    why: `expected ${promised}\ngot      ${got}`,
    fix: 'Publish it again; if it stays so, the store changes what it keeps.',
    state: 'Nothing got the name of the file; the next run fetches everything anew.',
  });
}

async function isThere(target: string, size: number, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  const handle = await open(target, 'r').catch(() => undefined);
  if (handle === undefined) return false;
  const pool = new HashPool();
  try {
    if ((await handle.stat()).size !== size) return false;
    const never = new AbortController().signal;
    return (await hashRange(pool, { path: target, handle }, { offset: 0, size }, () => undefined, signal ?? never)) === digest;
  } finally {
    await pool.close();
    await handle.close();
  }
}
