import { open, stat } from 'node:fs/promises';
import { fileSource, readRange, type ByteSource } from '../../bundle/byte-source.ts';
import { badArchive, unreadableArchive } from './archive-error.ts';
import type { ContentRange, LocalContent } from './content.ts';
import { tarMembers } from './tar-members.ts';

/** Bytes of an archive, for as long as someone reads. */
export interface HeldSource {
  readonly source: ByteSource;
  release(): Promise<void>;
}

/**
 * The members of a tar file, read at their offsets. The file is opened anew for every blob, so that nothing is left open.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_ARCHIVE
 */
export async function tarFileContent(path: string, where: string): Promise<LocalContent> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadableArchive(where, error);
  });
  if (found.isDirectory()) throw badArchive(where, 'it is a folder, not an archive', 'Write oci: for an OCI layout folder.');
  if (!found.isFile()) throw badArchive(where, 'it is not a file');
  const hold = async (): Promise<HeldSource> => {
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw unreadableArchive(where, error);
    });
    return { source: fileSource(handle, where, found.size), release: () => handle.close() };
  };
  return tarContent(hold, where, () => Promise.resolve());
}

/** The same over bytes that are held in some other way. */
export async function tarContent(
  hold: () => Promise<HeldSource>,
  where: string,
  close: () => Promise<void>,
): Promise<LocalContent> {
  const first = await hold();
  const members = await tarMembers(first.source, where).finally(() => first.release());
  return {
    where,
    names: [...members.keys()],
    size: (name) => Promise.resolve(members.get(name)?.size),
    async *read(name, { start = 0, length = Infinity, signal }: ContentRange = {}) {
      const member = members.get(name);
      if (member === undefined) throw badArchive(where, `it has no ${name}`);
      const held = await hold();
      try {
        const rest = Math.max(0, member.size - start);
        yield* readRange(held.source, member.offset + start, Math.min(rest, length), signal, 'reused');
      } finally {
        await held.release();
      }
    },
    close,
  };
}
