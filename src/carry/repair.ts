import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { badIn } from './assess.ts';
import { STATE, type LeafStates } from './check-leaves.ts';
import { freeName } from './free-name.ts';
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
  /** Names of patch volumes that were removed: all that they brought is in the volumes now. */
  readonly removed: readonly string[];
}

/**
 * Rebuilds every bad leaf of a set that is mendable: in its place where the volume is there, else in a new file that gets
 * its name when it is whole. Every leaf is compared with its hash before it is written, so an interrupted repair is simply
 * done again. Patch volumes are removed when what they brought is on the disk.
 */
export async function repairSet(set: OpenCarry, states: LeafStates, report: Report, signal: AbortSignal): Promise<Repaired> {
  const { carry } = set;
  const volumes = allVolumes(carry);
  const parts = new PartFiles(set.folder);
  const places = new Map<number, FileHandle>();
  const touched: string[] = [];
  let mender: RowMender | undefined;
  const read = leafReader(set, states);
  try {
    for (const [index, volume] of volumes.entries()) {
      const file = set.files[index];
      const changed = states[index]?.some((state) => state !== STATE.whole) === true;
      // Its name may be that of another volume, which was renamed.
      const name = file?.name ?? (await freeName(set.folder, volume.name));
      if (file === undefined) places.set(index, await parts.create(name));
      else if (changed || file.size > volume.size) places.set(index, await open(file.path, 'r+'));
      else continue;
      touched.push(name);
    }
    const rows = leafCount(volumes.reduce((most, { size }) => Math.max(most, size), 0));
    let leaves = 0;
    for (let row = 0; row < rows; row++) {
      signal.throwIfAborted();
      const bad = badIn(states, row);
      const made = new Map<number, Uint8Array>(
        // Made when it is needed: a set without parity may have more volumes than it could hold.
        bad.length === 0 ? [] : await (mender ??= new RowMender(carry)).mend(row, bad, read),
      );
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
    const copies = set.manifests.length >= 2 ? [] : await lostManifests(set);
    for (const name of copies) await parts.write(name, manifestBytes(carry));
    await parts.finishEach();
    return { files: [...touched, ...copies], leaves, removed: await removePatches(set, report) };
  } finally {
    await parts.close();
    await Promise.allSettled([...places].flatMap(([index, handle]) => (set.files[index] === undefined ? [] : [handle.close()])));
  }
}

/** Names for the copies of the carry manifest that are not there; damaged ones are written over, and nothing else is. */
async function lostManifests({
  folder,
  carry,
  manifests,
  otherwiseSigned,
  damagedManifests,
}: OpenCarry): Promise<readonly string[]> {
  const names = manifestNames(carry.bundle.name, styleOf(carry.volumes)).filter((name) => !manifests.includes(name));
  const worthless = [...otherwiseSigned, ...damagedManifests];
  return Promise.all(names.map(async (name) => (worthless.includes(name) ? name : freeName(folder, name))));
}

/** A patch that stayed would be read instead of the volumes, leaf by leaf. */
async function removePatches({ folder, patches }: OpenCarry, report: Report): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of patches) {
    try {
      await rm(join(folder, name));
      removed.push(name);
    } catch (error) {
      report.note(`${name} is not needed any more, but can't be removed: ${messageOf(error)}`);
    }
  }
  return removed;
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
