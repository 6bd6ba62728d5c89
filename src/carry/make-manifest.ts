import type { BundlePlan } from '../bundle/plan.ts';
import { signCarry } from './carry-trust.ts';
import type { RootSigner } from '../bundle/signature/sign.ts';
import type { Digest } from '../core/digest.ts';
import { LEAF, type CarryLayout, type VolumeOptions } from './layout.ts';
import { parityOf, withId, type CarryManifest } from './manifest.ts';
import type { VolumeRecords } from './split.ts';

export interface CarryOptions extends VolumeOptions {
  /** Id of the carry before this one. */
  readonly previous?: Digest;
  readonly keys: readonly RootSigner[];
}

/** The signed carry manifest of volumes that were made. @param name file name of the bundle */
export async function makeManifest(
  name: string,
  { lock, root, size }: Pick<BundlePlan, 'lock' | 'root' | 'size'>,
  layout: CarryLayout,
  { volumes, parity }: VolumeRecords,
  options: Pick<CarryOptions, 'previous' | 'keys'>,
): Promise<CarryManifest> {
  const body = withId({
    apiVersion: 'deliver-carry/v1',
    bundle: { name, size },
    leafSize: LEAF,
    parity: parityOf(parity),
    ...(options.previous === undefined ? {} : { previous: options.previous }),
    release: { name: lock.metadata.name, version: lock.metadata.version },
    root: root.digest,
    volumeSize: layout.volumeSize,
    volumes: [...volumes],
  });
  let carry: CarryManifest = { ...body, signatures: [] };
  for (const key of options.keys) carry = await signCarry(carry, key);
  return carry;
}
