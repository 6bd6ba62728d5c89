import type { Digest } from '../core/digest.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { placesIn, type Base } from './base.ts';
import type { Bundle } from './bundle.ts';
import { contentsOf } from './contents.ts';
import { planBundle } from './plan.ts';

/** What a site has that took the bundle of this lock. @throws DeliverError E_BUNDLE when the lock contradicts itself */
export function baseOfLock(lock: Lock): Base {
  return baseWith(lock, planBundle(lock, []).root.digest);
}

/** A bundle stands for everything in its lock, also where it is a delta itself: a site that took it has the rest. */
export function baseOfBundle({ lock, root }: Pick<Bundle, 'lock' | 'root'>): Base {
  return baseWith(lock, root.digest);
}

function baseWith(lock: Lock, root: Digest): Base {
  const { name, version } = lock.metadata;
  return { name, version, root, digests: new Set(contentsOf(lock).map(({ digest }) => digest)), places: placesIn(lock) };
}
