import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSource, readRange } from '../../bundle/byte-source.ts';
import { systemCode } from '../../core/errors.ts';
import { badArchive, unreadableArchive } from './archive-error.ts';
import type { ContentRange, LocalContent } from './content.ts';

/** The files of a folder. Names come from digests, never from what someone else wrote. @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_ARCHIVE */
export async function folderContent(folder: string, where: string): Promise<LocalContent> {
  const found = await stat(folder).catch((error: unknown) => {
    throw unreadableArchive(where, error);
  });
  if (!found.isDirectory())
    throw badArchive(where, 'it is a file, not a folder', 'Write oci-archive: or docker-archive: for a tar.');
  const sizeOf = async (name: string): Promise<number | undefined> => {
    const file = await stat(join(folder, name)).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
      throw unreadableArchive(where, error);
    });
    return file?.isFile() === true ? file.size : undefined;
  };
  return {
    where,
    names: await readdir(folder),
    size: sizeOf,
    async *read(name, { start = 0, length = Infinity, signal }: ContentRange = {}) {
      const handle = await open(join(folder, name), 'r').catch((error: unknown) => {
        throw unreadableArchive(where, error);
      });
      try {
        const { size } = await handle.stat();
        const rest = Math.max(0, size - start);
        yield* readRange(fileSource(handle, where, size), start, Math.min(rest, length), signal, 'reused');
      } finally {
        await handle.close();
      }
    },
    close: () => Promise.resolve(),
  };
}
