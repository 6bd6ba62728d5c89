import type { Digest } from '../core/digest.ts';
import { parseReference } from '../core/reference.ts';
import type { Lock } from '../lock/lock-schema.ts';

/** What a delta says about the release that it builds on. */
export interface BaseName {
  readonly name: string;
  readonly version: string;
  /** Digest of the base's release manifest. */
  readonly root: Digest;
}

/** What a site has already: an earlier lock or bundle, or what a receipt says arrived. */
export interface Base extends BaseName {
  readonly digests: ReadonlySet<Digest>;
  /** Source repositories (`docker.io/library/busybox`) whose images hold a blob; absent when only digests are known. */
  readonly places?: ReadonlyMap<Digest, ReadonlySet<string>>;
}

/** For every blob of an image, the source repositories that use it. */
export function placesIn({ images }: Pick<Lock, 'images'>): ReadonlyMap<Digest, ReadonlySet<string>> {
  const places = new Map<Digest, Set<string>>();
  for (const { reference, blobs } of images) {
    const { host, repository } = parseReference(reference);
    for (const { digest } of blobs) places.set(digest, (places.get(digest) ?? new Set()).add(`${host}/${repository}`));
  }
  return places;
}
