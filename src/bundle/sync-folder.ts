import { open } from 'node:fs/promises';

/** A rename survives a power cut only when its folder was synced (fsync(2)). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
