import type { Digest } from '../core/digest.ts';
import type { Lock } from './lock-schema.ts';

/** How many there are, and their bytes; what several share counts once. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** What a lock holds, by what it is for. */
export interface LockContents {
  readonly images: Amount;
  readonly charts: Amount;
  /** Programs of `kubernetes:`; one for two platforms is one. */
  readonly components: Amount;
  /** Entries of `manifests:`. */
  readonly addons: Amount;
  /** All other files: of apps, and those under `files:`. */
  readonly files: Amount;
  readonly apps: number;
}

interface Sized {
  readonly digest: Digest;
  readonly size: number;
}

/** Counts and measures what a lock holds. */
export function lockContents({ images, charts, files, release }: Lock): LockContents {
  const components = files.filter(({ component }) => component !== undefined);
  const manifests = files.filter(({ name }) => /^manifests\/\d+\//.test(name));
  const others = files.filter((file) => !components.includes(file) && !manifests.includes(file));
  const referrers = images.flatMap(({ referrers: some = [] }) => some);
  const imageBlobs = [...images, ...referrers].flatMap((one): Sized[] => [
    one,
    ...('manifests' in one ? (one.manifests ?? []) : []),
    ...one.blobs,
  ]);
  return {
    images: { count: images.length, bytes: bytesOf(imageBlobs) },
    charts: { count: charts.length, bytes: bytesOf(charts.flatMap((chart) => [chart, ...chart.blobs])) },
    components: { count: new Set(components.map(({ component }) => component?.name)).size, bytes: bytesOf(components) },
    addons: { count: release.manifests?.length ?? 0, bytes: bytesOf(manifests) },
    files: { count: others.length, bytes: bytesOf(others) },
    apps: release.apps?.length ?? 0,
  };
}

function bytesOf(blobs: readonly Sized[]): number {
  const sizes = new Map(blobs.map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
