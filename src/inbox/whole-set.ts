import { basename } from 'node:path';
import { openCarry } from '../carry/open-carry.ts';
import { allVolumes } from '../carry/manifest.ts';
import { LEAF } from '../carry/layout.ts';

/** What is there of a carry set. */
export interface SetState {
  /** Name of the bundle inside, without `.tar`. */
  readonly name: string;
  /** Names of volumes that are not there, or shorter than they should be. */
  readonly missing: readonly string[];
  /** Files of the set: volumes and patches first, the manifests last. */
  readonly files: readonly string[];
}

/**
 * Which files of a carry set have arrived. A volume that is too short is still on its way, unless patches bring the rest;
 * parity volumes are waited for as well: they are what may have to mend the others.
 * @param path its folder, or one of its manifests
 * @throws DeliverError E_CARRY when no manifest in it can be used
 */
export async function setState(path: string): Promise<SetState> {
  const set = await openCarry(path);
  try {
    const { carry, files, patched } = set;
    const leaves = carry.volumeSize / LEAF;
    const missing = allVolumes(carry).flatMap((volume, index) => {
      const file = files[index];
      if (file !== undefined && file.size >= volume.size) return [];
      const isData = index < carry.volumes.length;
      return isData && volume.leaves.every((_, leaf) => patched.has(index * leaves + leaf)) ? [] : [volume.name];
    });
    const volumes = files.flatMap((file) => (file === undefined ? [] : [file.name]));
    const copies = [...set.damagedManifests, ...set.otherwiseSigned, ...set.manifests];
    return { name: basename(carry.bundle.name, '.tar'), missing, files: [...volumes, ...set.patches, ...copies] };
  } finally {
    await set.close();
  }
}
