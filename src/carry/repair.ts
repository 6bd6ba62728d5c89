import { open, type FileHandle } from 'node:fs/promises';
import { DeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { badIn } from './assess.ts';
import { STATE, type LeafStates } from './check-leaves.ts';
import { leafSize } from './identify.ts';
import { LEAF, leafCount, manifestNames, styleOf } from './layout.ts';
import { allVolumes, manifestBytes } from './manifest.ts';
import { RowMender, type ReadLeaf } from './mend-row.ts';
import type { OpenCarry } from './open-carry.ts';
import { PartFiles, writeAll } from './part-files.ts';

export interface Repaired {
  /** Names of volumes that were written anew or in part, and of copies of the carry manifest. */
  readonly files: readonly string[];
  /** MiBs. */
  readonly leaves: number;
}

/**
 * Rebuilds every bad leaf of a set that is mendable: in its place where the volume is there, else in a new file that gets
 * its name when it is whole. Every leaf is compared with its hash before it is written, so an interrupted repair is simply
 * done again.
 */
export async function repairSet(set: OpenCarry, states: LeafStates, report: Report, signal: AbortSignal): Promise<Repaired> {
  const { carry } = set;
  const volumes = allVolumes(carry);
  const parts = new PartFiles(set.folder);
  const places = new Map<number, FileHandle>();
  const touched: string[] = [];
  const mender = new RowMender(carry);
  const read = leafReader(set, states);
  try {
    for (const [index, volume] of volumes.entries()) {
      const file = set.files[index];
      const changed = states[index]?.some((state) => state !== STATE.whole) === true;
      if (file === undefined) places.set(index, await parts.create(volume.name));
      else if (changed || file.size > volume.size) places.set(index, await open(file.path, 'r+'));
      else continue;
      touched.push(file?.name ?? volume.name);
    }
    const rows = leafCount(Math.max(...volumes.map(({ size }) => size)));
    let leaves = 0;
    for (let row = 0; row < rows; row++) {
      signal.throwIfAborted();
      const bad = badIn(states, row);
      const made = new Map<number, Uint8Array>(bad.length === 0 ? [] : await mender.mend(row, bad, read));
      for (const [index, volume] of volumes.entries()) {
        if (states[index]?.[row] !== STATE.patched) continue;
        const leaf = Buffer.alloc(leafSize(volume, row));
        await read(index, row, leaf, 0);
        made.set(index, leaf);
      }
      for (const [index, leaf] of made) {
        const handle = places.get(index);
        if (handle !== undefined) await writeAll(handle, leaf, row * LEAF);
      }
      leaves += made.size;
      report.progress({ done: row + 1, total: rows, unit: 'items' });
    }
    for (const [index, handle] of places) {
      if (set.files[index] === undefined) continue;
      await handle.truncate(volumes[index]?.size ?? 0);
      await handle.sync();
    }
    const lostManifests = manifestNames(carry.bundle.name, styleOf(carry.volumes)).filter(
      (name) => !set.manifests.includes(name),
    );
    const copies = set.manifests.length >= 2 ? [] : lostManifests;
    for (const name of copies) await parts.write(name, manifestBytes(carry));
    await parts.finish();
    return { files: [...touched, ...copies], leaves };
  } finally {
    await parts.close();
    await Promise.allSettled([...places].flatMap(([index, handle]) => (set.files[index] === undefined ? [] : [handle.close()])));
  }
}

/** Good leaves come from their volume, or from the patch that brought them. */
function leafReader(set: OpenCarry, states: LeafStates): ReadLeaf {
  const perVolume = set.carry.volumeSize / LEAF;
  return async (index, row, target, from) => {
    const patch = states[index]?.[row] === STATE.patched ? set.patched.get(index * perVolume + row) : undefined;
    const handle = patch?.handle ?? set.files[index]?.handle;
    const offset = patch?.offset ?? row * LEAF;
    const read = await handle?.read(target, 0, target.byteLength, offset + from);
    if (read?.bytesRead === target.byteLength) return;
    throw new DeliverError('E_FILE_UNREADABLE', { what: `A volume in ${set.folder} changed while it was read.` });
  };
}
