import { open } from 'node:fs/promises';
import type { Bundle } from '../bundle/bundle.ts';
import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { ObjectStore } from '../store/port.ts';
import { partSizeOf } from './part-size.ts';
import { addSignatures } from './pool-signatures.ts';
import { planOfLock, poolBlobs, poolKeys, readObject, type PoolBlob, type PoolKeys } from './pool.ts';
import { publishObject, type TransferOptions } from './publish-object.ts';
import { waitForSweep } from './sweep.ts';

export interface PublishedRelease {
  /** `<name>-<version>`, what `fetch --pool` asks for. */
  readonly release: string;
  readonly root: string;
  readonly sentBlobs: number;
  readonly sentBytes: number;
  /** Were there already: of other releases, or of an interrupted run. */
  readonly sharedBlobs: number;
  readonly sharedBytes: number;
}

/** Small blobs on their way at once; a big one goes alone, in parts. */
const AT_ONCE = 4;

/**
 * Brings to a pool what it lacks of a release, then its lock. The release is there when its lock is; until then what it needs is
 * kept by an intent, so that no garbage collection takes it away.
 * @throws DeliverError E_STORE*, E_DIGEST; E_STORE when another content was published under the same name and version
 */
export async function publishToPool(
  store: ObjectStore,
  prefix: string,
  bundle: Bundle,
  options: TransferOptions & { readonly signal: AbortSignal },
): Promise<PublishedRelease> {
  const { signal, onBytes = () => undefined } = options;
  const keys = poolKeys(prefix);
  const { name, version } = bundle.lock.metadata;
  const release = `${name}-${version}`;
  const lockBytes = lockBytesOf(bundle);
  const blobs = poolBlobs(planOfLock(bundle.path, lockBytes, []));
  await refuseOther(store, keys, release, lockBytes, signal);

  const intent = keys.intent(bundle.root.digest);
  await store.put(intent, lockBytes, undefined, signal);
  const written = await store.head(intent, signal);
  await waitForSweep(store, keys, written?.modified ?? new Date(), signal);

  const there = await sizesIn(store, keys, signal);
  const missing = blobs.filter(({ digest, size }) => there.get(keys.blob(digest)) !== size);
  const sentBytes = total(missing);
  const sharedBytes = total(blobs) - sentBytes;
  onBytes(sharedBytes);
  await sendBlobs(store, keys, bundle, missing, options);
  await addSignatures(store, keys.signatures(release), bundle.signatures, signal);
  await store.put(keys.lock(release), lockBytes, undefined, signal);
  // Not before: whoever collects garbage reads the intents first and the locks after them.
  await store.remove([intent], signal);
  const sharedBlobs = blobs.length - missing.length;
  return { release, root: bundle.root.digest, sentBlobs: missing.length, sentBytes, sharedBlobs, sharedBytes };
}

function lockBytesOf(bundle: Bundle): Buffer {
  const content = bundle.plan.members.find(({ owners }) => owners[0] === 'lock')?.content;
  if (content === undefined) throw new DeliverError('E_BUG', { what: `The plan of ${bundle.path} has no lock.` });
  return Buffer.from(content);
}

async function refuseOther(
  store: ObjectStore,
  keys: PoolKeys,
  release: string,
  lock: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const before = await readObject(store, keys.lock(release), signal);
  if (before === undefined || before.equals(lock)) return;
  throw new DeliverError('E_STORE', {
    what: `${release} was published before, with other content.`,
    why: `${store.nameOf(keys.lock(release))} is another lock.`,
    fix: 'Give the release a new version, or remove that lock if nobody uses it.',
    state: 'Nothing was changed.',
  });
}

async function sizesIn(store: ObjectStore, keys: PoolKeys, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(keys.blobs, signal)) sizes.set(key, size);
  return sizes;
}

async function sendBlobs(
  store: ObjectStore,
  keys: PoolKeys,
  bundle: Bundle,
  blobs: readonly PoolBlob[],
  options: TransferOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const lacking = blobs.filter(({ digest }) => !bundle.blobs.has(digest));
  if (lacking.length > 0) {
    throw new DeliverError('E_STORE', {
      what: `${bundle.path} is a delta, and the pool lacks parts of its base.`,
      fix: 'Publish the whole bundle of the base to this pool first.',
      details: lacking.map(({ digest, size }) => `${digest}, ${String(size)} bytes`),
    });
  }
  const handle = await open(bundle.path, 'r');
  const buffers: Buffer[] = [];
  try {
    const send = async ({ digest, size }: PoolBlob, signal: AbortSignal): Promise<void> => {
      const range = { path: bundle.path, handle, size, start: bundle.blobs.get(digest)?.offset ?? 0 };
      await publishObject(store, keys.blob(digest), range, { ...options, signal, buffers, expected: digest });
    };
    const isSmall = ({ size }: PoolBlob): boolean => size <= partSizeOf(size);
    await inParallel(blobs.filter(isSmall), AT_ONCE, options.signal, send);
    await inParallel(
      blobs.filter((blob) => !isSmall(blob)),
      1,
      options.signal,
      send,
    );
  } finally {
    await handle.close();
  }
}

function total(blobs: readonly PoolBlob[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
