import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { EMPTY_BLOB } from '../core/oci.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { placesIn, type Base, type BaseName } from './base.ts';
import type { ContentBlob } from './contents.ts';

/** What a bundle leaves out, and because of which base. */
export interface Delta {
  readonly base: BaseName;
  readonly omit: ReadonlySet<Digest>;
}

/** The same in a plan: the blobs themselves, in the order that they would have in the file. */
export interface PlannedDelta {
  readonly base: BaseName;
  readonly omitted: readonly ContentBlob[];
}

/**
 * What a delta of this lock may leave out: configs and layers of images, which a site's registry keeps and can be asked
 * for. All that an install reads itself always travels: manifests, charts, files.
 */
export function omittable(lock: Lock): ReadonlySet<Digest> {
  const kept = new Set<Digest>([
    EMPTY_BLOB.digest,
    ...lock.files.map(({ digest }) => digest),
    ...lock.charts.flatMap((chart) => [chart.digest, ...chart.blobs.map(({ digest }) => digest)]),
    ...lock.images.flatMap((image) => [image.digest, ...(image.manifests ?? []).map(({ digest }) => digest)]),
    ...lock.images.flatMap(({ referrers = [] }) =>
      referrers.flatMap(({ digest, blobs }) => [digest, ...blobs.map((blob) => blob.digest)]),
    ),
  ]);
  const blobs = lock.images.flatMap((image) => image.blobs);
  return new Set(blobs.filter(({ digest, data }) => data === undefined && !kept.has(digest)).map(({ digest }) => digest));
}

/**
 * The delta of a lock on top of a base. Where the base knows in which repositories a blob lies, it is left out only when
 * one of the images that need it now is of such a repository: a site's registry can be asked for it nowhere else.
 */
export function deltaSince(lock: Lock, { name, version, root, digests, places }: Base): Delta {
  const wanted = placesIn(lock);
  const isReachable = (digest: Digest): boolean =>
    places === undefined || [...(wanted.get(digest) ?? [])].some((place) => places.get(digest)?.has(place) === true);
  const omit = [...omittable(lock)].filter((digest) => digests.has(digest) && isReachable(digest));
  return { base: { name, version, root }, omit: new Set(omit) };
}

/** `<release>-<version>-since-<base>.tar`; a base of another name is named in full. */
export function deltaFileName({ metadata }: Pick<Lock, 'metadata'>, base: BaseName): string {
  const since = base.name === metadata.name ? base.version : `${base.name}-${base.version}`;
  return `${metadata.name}-${metadata.version}-since-${since}.tar`;
}

/** The contents without what is left out. @throws DeliverError E_BUNDLE when something may not be left out */
export function withoutOmitted(
  lock: Lock,
  contents: readonly ContentBlob[],
  { base, omit }: Delta,
): { readonly carried: readonly ContentBlob[]; readonly delta: PlannedDelta } {
  const allowed = omittable(lock);
  const refused = [...omit].filter((digest) => !allowed.has(digest));
  if (refused.length > 0) {
    throw new DeliverError('E_BUNDLE', {
      what: 'A delta would leave out what always has to travel.',
      details: refused,
    });
  }
  return {
    carried: contents.filter(({ digest }) => !omit.has(digest)),
    delta: { base, omitted: contents.filter(({ digest }) => omit.has(digest)) },
  };
}
