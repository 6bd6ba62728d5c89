import { open } from 'node:fs/promises';
import { systemCode } from '../core/errors.ts';

/** What file systems say that can't sync a folder, or have nothing to sync: network shares and FUSE do it themselves. */
const NEEDLESS = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF', 'EACCES', 'EPERM']);

/** A rename survives a power cut only when its folder was synced (fsync(2)). */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!NEEDLESS.has(systemCode(error) ?? '')) throw error;
  }
}
