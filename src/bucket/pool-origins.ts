import type { BlobOrigins } from '../bundle/blob-origin.ts';
import type { BundlePlan } from '../bundle/plan.ts';
import { DeliverError } from '../core/errors.ts';
import type { ObjectStore } from '../store/port.ts';
import { readSignatures } from './pool-signatures.ts';
import { planOfLock, poolKeys, readObject } from './pool.ts';

/** A release of a pool: where every byte of its bundle lies, and where the blobs come from. */
export interface PoolRelease {
  readonly plan: BundlePlan;
  readonly origins: BlobOrigins;
}

/**
 * @param release `<name>-<version>`
 * @throws DeliverError E_STORE_NOT_FOUND when the pool has no such release, E_BUNDLE when its lock is none
 */
export async function openPoolRelease(
  store: ObjectStore,
  prefix: string,
  release: string,
  signal: AbortSignal,
): Promise<PoolRelease> {
  const keys = poolKeys(prefix);
  const bytes = await readObject(store, keys.lock(release), signal);
  if (bytes === undefined) {
    throw new DeliverError('E_STORE_NOT_FOUND', {
      what: `The pool has no release ${release}.`,
      why: `${store.nameOf(keys.lock(release))} is not there.`,
      fix: 'Name it as deliver publish --pool did: NAME-VERSION.',
    });
  }
  const signatures = await readSignatures(store, keys.signatures(release), signal);
  const plan = planOfLock(store.nameOf(keys.lock(release)), bytes, signatures);
  const { name, version } = plan.lock.metadata;
  if (`${name}-${version}` !== release)
    throw new DeliverError('E_BUNDLE', { what: `${store.nameOf(keys.lock(release))} is the lock of ${name}-${version}.` });
  const sizes = new Map(plan.members.map(({ digest, size }) => [digest, size]));
  const origins: BlobOrigins = {
    describe: (digest) => store.nameOf(keys.blob(digest)),
    open: (digest, blobSignal) => store.read(keys.blob(digest), sized(sizes.get(digest)), blobSignal),
  };
  return { plan, origins };
}

function sized(size: number | undefined): { size?: number } {
  return size === undefined ? {} : { size };
}
