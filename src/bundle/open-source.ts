import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { openCarry } from '../carry/open-carry.ts';
import { needAllVolumes, placeIn, volumeSource } from '../carry/volume-source.ts';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { fileSource, type ByteSource } from './byte-source.ts';

/** The bytes of a bundle, wherever they lie: in one file, or in the volumes of a carry set. */
export interface OpenSource {
  readonly source: ByteSource;
  /** The open file and the offset in it where a range lies; undefined when the range is spread over several. */
  place(offset: number, size: number): { readonly descriptor: number; readonly offset: number } | undefined;
  close(): Promise<void>;
}

/** Names of files that are part of a carry set. */
const CARRY_FILE = /\.(?:[vp]\d{3,}|carry(?:\.end)?\.json|crj|cre|vol|par)$/;

/** Whether this is a folder or a file of a carry set rather than a bundle. @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE */
export async function isCarrySet(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => cantRead(path, error));
  return found.isDirectory() || (found.isFile() && CARRY_FILE.test(path));
}

/** @throws DeliverError E_BUNDLE, E_CARRY, E_CARRY_DAMAGED, E_FILE_NOT_FOUND, E_FILE_UNREADABLE */
export async function openSource(path: string): Promise<OpenSource> {
  if (await isCarrySet(path)) return openVolumes(path);
  if (!(await stat(path)).isFile())
    throw new DeliverError('E_BUNDLE', { what: `${path} is not a bundle.`, why: 'It is not a regular file.' });
  const handle = await open(path, constants.O_RDONLY).catch((error: unknown) => cantRead(path, error));
  const { size } = await handle.stat();
  return {
    source: fileSource(handle, path, size),
    place: (offset) => ({ descriptor: handle.fd, offset }),
    close: () => handle.close(),
  };
}

async function openVolumes(path: string): Promise<OpenSource> {
  const set = await openCarry(path);
  try {
    needAllVolumes(set);
  } catch (error) {
    await set.close();
    throw error;
  }
  return { source: volumeSource(set), place: (offset, size) => placeIn(set, offset, size), close: () => set.close() };
}

function cantRead(path: string, error: unknown): never {
  const missing = systemCode(error) === 'ENOENT';
  throw new DeliverError(missing ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
    what: missing ? `There is no file ${path}.` : `${path} can't be read.`,
    why: messageOf(error),
    cause: error,
  });
}
