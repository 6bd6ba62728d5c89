import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { LEAF } from './layout.ts';
import { allVolumes, type CarryManifest, type VolumeRecord } from './manifest.ts';

/** A file of the folder that may be a volume. */
export interface Candidate {
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly handle: FileHandle;
}

/**
 * Which file is which volume: by content first, because gateways rename; then by name, because a damaged volume is still
 * that volume. Both agree for a good copy.
 * @returns by index of volume; files that are no volume of this set are not among them
 */
export async function identify(carry: CarryManifest, files: readonly Candidate[]): Promise<readonly (Candidate | undefined)[]> {
  const volumes = allVolumes(carry);
  const found: (Candidate | undefined)[] = volumes.map(() => undefined);
  const free = new Set(files);
  const assign = (index: number, file: Candidate): void => {
    if (found[index] !== undefined || !free.delete(file)) return;
    found[index] = file;
  };
  const named = new Map(files.map((file) => [file.name.toLowerCase(), file]));
  const namesake = (volume: VolumeRecord): Candidate | undefined => named.get(volume.name.toLowerCase());
  for (const [index, volume] of volumes.entries()) {
    const file = namesake(volume);
    if (file !== undefined && (await hasLeaf(file, volume, 0))) assign(index, file);
  }
  // Three places, in case that one of them is damaged.
  for (const place of [() => 0, middle, last]) {
    for (const file of [...free]) {
      const hashes = new Map<number, string | undefined>();
      for (const [index, volume] of volumes.entries()) {
        const at = place(volume);
        // A longer file that begins alike is the bundle itself, and nobody’s to be cut off by a repair.
        if (found[index] !== undefined || file.size !== volume.size) continue;
        if (!hashes.has(at)) hashes.set(at, await leafHash(file, at, leafSize(volume, at)));
        if (hashes.get(at) === volume.leaves[at]) assign(index, file);
      }
    }
  }
  for (const [index, volume] of volumes.entries()) {
    const file = namesake(volume);
    if (file !== undefined) assign(index, file);
  }
  return found;
}

/** Bytes of a leaf of a volume. */
export function leafSize(volume: Pick<VolumeRecord, 'size'>, leaf: number): number {
  return Math.max(0, Math.min(LEAF, volume.size - leaf * LEAF));
}

function middle(volume: VolumeRecord): number {
  return Math.floor(volume.leaves.length / 2);
}

function last(volume: VolumeRecord): number {
  return volume.leaves.length - 1;
}

async function hasLeaf(file: Candidate, volume: VolumeRecord, leaf: number): Promise<boolean> {
  return (await leafHash(file, leaf, leafSize(volume, leaf))) === volume.leaves[leaf];
}

/** Undefined when the file is too short, or can't be read there. */
async function leafHash(file: Candidate, leaf: number, size: number): Promise<string | undefined> {
  if (file.size < leaf * LEAF + size) return undefined;
  const bytes = Buffer.allocUnsafe(size);
  const read = await file.handle.read(bytes, 0, size, leaf * LEAF).catch(() => ({ bytesRead: 0 }));
  return read.bytesRead === size ? createHash('sha256').update(bytes).digest('hex') : undefined;
}
