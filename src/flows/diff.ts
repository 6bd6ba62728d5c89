import { dirname } from 'node:path';
import { deltaSince } from '../bundle/delta.ts';
import { planBundle } from '../bundle/plan.ts';
import type { Digest } from '../core/digest.ts';
import { chartItems, fileItems, imageItems, pairItems, type ItemChange } from './diff-items.ts';
import { loadSide, type LockedFile } from './load-base.ts';

/** What differs between two releases, and what the second would cost to carry on top of the first. All sizes are bytes. */
export interface DiffResult {
  readonly from: DiffSide;
  readonly to: DiffSide;
  readonly images: readonly ItemChange[];
  readonly charts: readonly ItemChange[];
  readonly files: readonly ItemChange[];
  /** Images, charts and files that are the same in both. */
  readonly unchanged: number;
  /** The delta that `pack --since` would make, to the byte. */
  readonly delta: { readonly size: number; readonly leftOutBlobs: number; readonly leftOutBytes: number };
  /** The bundle of the whole second release. */
  readonly full: { readonly size: number };
}

export interface DiffSide {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** Digest of the release manifest. */
  readonly root: string;
  /** Of a receipt: whose it is and who signed it; whether that key is trusted was not asked. */
  readonly said?: string;
}

/**
 * Compares two releases by their locks; no blob is read and nobody is asked.
 * @param from lock, bundle or receipt of the earlier one
 * @throws DeliverError as `loadSide`
 */
export async function diffReleases(from: string, to: string): Promise<DiffResult> {
  const folders = [...new Set([dirname(from), dirname(to), 'bundles', 'manifests'])];
  const [before, after] = [await loadSide(from, folders), await loadSide(to, folders)];
  const plan = planBundle(after.lock, [], deltaSince(after.lock, before.base));
  const leftOut = new Set<Digest>((plan.delta?.omitted ?? []).map(({ digest }) => digest));
  const pair = (items: typeof imageItems): ReturnType<typeof pairItems> =>
    pairItems(items(before.lock), items(after.lock), (digest) => !leftOut.has(digest));
  const [images, charts, files] = [pair(imageItems), pair(chartItems), pair(fileItems)];
  return {
    from: sideOf(from, before),
    to: sideOf(to, after),
    images: images.changes,
    charts: charts.changes,
    files: files.changes,
    unchanged: images.unchanged + charts.unchanged + files.unchanged,
    delta: {
      size: plan.size,
      leftOutBlobs: leftOut.size,
      leftOutBytes: (plan.delta?.omitted ?? []).reduce((sum, { size }) => sum + size, 0),
    },
    full: { size: planBundle(after.lock, []).size },
  };
}

function sideOf(path: string, { base, said }: LockedFile & { readonly said?: string }): DiffSide {
  const { name, version, root } = base;
  return { path, name, version, root, ...(said === undefined ? {} : { said }) };
}
