import { open } from 'node:fs/promises';
import { headerOf, planBundle } from '../../src/bundle/plan.ts';
import { readLock } from '../../src/lock/lock-file.ts';

const LARGE = 1_000_000;

/** A bundle of the lock whose large layers are so many times as large, and holes. @returns its size */
export async function writeSparseBundle(lockPath: string, times: number, file: string): Promise<number> {
  const lock = await readLock(lockPath);
  const images = lock.images.map((image) => ({
    ...image,
    blobs: image.blobs.map((blob) => (blob.size < LARGE ? blob : { ...blob, size: Math.round(blob.size * times) })),
  }));
  const plan = planBundle({ ...lock, images }, []);
  const handle = await open(file, 'w');
  try {
    await handle.truncate(plan.size);
    for (const member of plan.members) {
      await handle.write(headerOf(member), 0, undefined, member.headerOffset);
      if (member.content !== undefined) await handle.write(member.content, 0, undefined, member.offset);
    }
  } finally {
    await handle.close();
  }
  return plan.size;
}
