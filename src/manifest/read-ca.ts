import { readFileSync } from 'node:fs';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';

/**
 * A private CA that a release names, PEM.
 * @param field where the release names it
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE
 */
export function readCa(path: string, field: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DeliverError(systemCode(error) === 'ENOENT' ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
      what: `The CA that ${field} names can’t be read: ${path}`,
      why: messageOf(error),
      fix: `Correct ${field} in the release.`,
    });
  }
}
