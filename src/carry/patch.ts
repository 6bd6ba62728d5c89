import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { canonicalJson } from '../core/canonical-json.ts';
import { LEAF } from './layout.ts';
import { allVolumes, type CarryManifest } from './manifest.ts';
import type { Run } from './runs.ts';

/** A patch volume begins with this: a line of canonical JSON; the leaves follow, one after the other. */
export const PATCH_START = '{"apiVersion":"deliver-patch/v1",';
/** Bytes of the first line. */
const MOST_HEADER = 1024 * 1024;

const RunSchema = z.tuple([z.int().nonnegative(), z.int().positive()]);
const HeaderSchema = z.strictObject({
  apiVersion: z.literal('deliver-patch/v1'),
  carry: z.string(),
  /** Runs of leaves of the bundle: the number of the first MiB, and how many. */
  leaves: z.custom<[number, number][]>(areRuns),
});

/** Where the good bytes of a leaf are. */
export interface PatchedLeaf {
  readonly handle: FileHandle;
  readonly offset: number;
}

/** The first line of a patch volume. */
export function patchHeader(carry: CarryManifest, runs: readonly Run[]): Uint8Array {
  const leaves = runs.map(({ first, count }) => [first, count]);
  return Buffer.from(`${canonicalJson({ apiVersion: 'deliver-patch/v1', carry: carry.id, leaves })}\n`);
}

/**
 * The leaves that a patch volume really holds, by their number in the bundle; every one is hashed. A leaf that is
 * damaged in the patch too is left out.
 */
export async function readPatch(handle: FileHandle, carry: CarryManifest): Promise<ReadonlyMap<number, PatchedLeaf>> {
  const found = new Map<number, PatchedLeaf>();
  const head = Buffer.alloc(MOST_HEADER);
  const { bytesRead } = await handle.read(head, 0, MOST_HEADER, 0);
  const end = head.subarray(0, bytesRead).indexOf(0x0a);
  const header = end < 0 ? undefined : parseHeader(head.toString('utf8', 0, end));
  if (header?.carry !== carry.id) return found;
  const buffer = Buffer.alloc(LEAF);
  let offset = end + 1;
  for (const [first, count] of header.leaves) {
    for (let leaf = first; leaf < first + count; leaf++) {
      const record = leafOf(carry, leaf);
      if (record === undefined) return found;
      const read = await handle.read(buffer, 0, record.size, offset);
      if (read.bytesRead === 0) return found;
      const hash = createHash('sha256').update(buffer.subarray(0, read.bytesRead)).digest('hex');
      if (read.bytesRead === record.size && hash === record.sha256) found.set(leaf, { handle, offset });
      offset += record.size;
    }
  }
  return found;
}

/** Size and hash of a MiB of the bundle; undefined past its end. */
export function leafOf(carry: CarryManifest, leaf: number): { readonly size: number; readonly sha256: string } | undefined {
  const perVolume = carry.volumeSize / LEAF;
  const volume = allVolumes(carry)[Math.floor(leaf / perVolume)];
  const sha256 = leaf * LEAF < carry.bundle.size ? volume?.leaves[leaf % perVolume] : undefined;
  return sha256 === undefined ? undefined : { size: Math.min(LEAF, carry.bundle.size - leaf * LEAF), sha256 };
}

/** In order and apart, so that a header of a MiB can't name the same leaf again and again. */
function areRuns(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  let end = 0;
  for (const run of value as readonly unknown[]) {
    const { data } = RunSchema.safeParse(run);
    if (data === undefined || data[0] < end) return false;
    end = data[0] + data[1];
  }
  return true;
}

function parseHeader(line: string): z.infer<typeof HeaderSchema> | undefined {
  try {
    const parsed = HeaderSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
