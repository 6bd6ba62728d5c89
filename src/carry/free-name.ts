import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../core/errors.ts';

/** A name that nothing in a folder has yet: the one that is wanted, or one like it. Volumes are known by content. */
export async function freeName(folder: string, wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}.${String(number)}`;
    try {
      await lstat(join(folder, name));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return name;
      throw error;
    }
  }
}
