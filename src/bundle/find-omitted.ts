import type { Digest } from '../core/digest.ts';
import { decodeTarHeader, isZeroBlock, paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import { readAt, type ByteSource } from './byte-source.ts';
import { omittable } from './delta.ts';
import type { BundlePlan } from './plan.ts';

/**
 * Which blobs of a full plan a delta's file lacks: from header to header, what may be left out and is not where it would
 * be counts as left out. Whether that is so is proved by comparing the file with the plan that this gives.
 * @param from byte at which the content begins
 */
export async function findOmitted(source: ByteSource, full: BundlePlan, from: number): Promise<ReadonlySet<Digest>> {
  const allowed = omittable(full.lock);
  const omitted = new Set<Digest>();
  const contents = full.members.slice(full.members.findIndex(({ owners }) => owners[0] === 'room for signatures') + 1);
  let at = from;
  for (const { name, digest, size } of contents) {
    const block = await readAt(source, at, TAR_BLOCK);
    if (digest !== undefined && allowed.has(digest) && isSomethingElse(block, name)) omitted.add(digest);
    else at += TAR_BLOCK + paddedSize(size);
  }
  return omitted;
}

/** A header that can't be read is damage, not another member. */
function isSomethingElse(block: Uint8Array, name: string): boolean {
  if (block.length < TAR_BLOCK) return false;
  if (isZeroBlock(block)) return true;
  const header = decodeTarHeader(block);
  return !('problem' in header) && header.name !== name;
}
