import type { BlobOrigins } from '../../src/bundle/blob-origin.ts';
import type { NearWish } from '../../src/bundle/near-blobs.ts';
import type { BundlePlan } from '../../src/bundle/plan.ts';
import { writeBundle, type WrittenBundle } from '../../src/bundle/write-bundle.ts';
import { VolumeDestination } from '../../src/carry/pack-volumes.ts';
import { MIB } from './carry.ts';

/** Packs into volumes of 3 MiB and two for parity, as `splitBundle` cuts them. */
export async function packVolumes(
  plan: BundlePlan,
  folder: string,
  origins: BlobOrigins,
  { names = 'plain', near = {} }: { readonly names?: 'plain' | '8.3'; readonly near?: NearWish } = {},
): Promise<WrittenBundle> {
  const into = new VolumeDestination(plan, folder, { volumeSize: 3 * MIB, parity: 2, names, keys: [] });
  return writeBundle(plan, folder, origins, { into, near });
}
