import { readFile } from 'node:fs/promises';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';

const MAX_BYTES = 32 * 1024 * 1024;

/**
 * A text file of at most 32 MiB.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE
 */
export async function readText(path: string, what: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') {
      throw new DeliverError('E_FILE_NOT_FOUND', { what: `${what} is not there: ${path}`, fix: 'Check the path.', cause });
    }
    throw new DeliverError('E_FILE_UNREADABLE', { what: `${what} can’t be read: ${path}`, why: messageOf(cause), cause });
  }
  if (bytes.byteLength > MAX_BYTES) {
    throw new DeliverError('E_FILE_UNREADABLE', {
      what: `${path} is too large for ${what.toLowerCase()}.`,
      why: 'The limit is 32 MiB.',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DeliverError('E_FILE_UNREADABLE', { what: `${path} is not UTF-8 text.`, cause });
  }
}
