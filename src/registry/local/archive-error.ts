import { DeliverError, messageOf, systemCode } from '../../core/errors.ts';

/** The error for an archive or layout that can't be used. @param where as the release names it */
export function badArchive(where: string, why: string, fix?: string): DeliverError {
  return new DeliverError('E_ARCHIVE', {
    what: `${where} can’t be used.`,
    why: `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}.`,
    ...(fix === undefined ? {} : { fix }),
  });
}

/** The error for a path that is not there or can't be read. */
export function unreadableArchive(where: string, cause: unknown): DeliverError {
  if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') {
    return new DeliverError('E_FILE_NOT_FOUND', {
      what: `There is nothing at ${where}.`,
      fix: 'Build it first, or correct the path under sources.images; it is relative to the release file.',
      cause,
    });
  }
  return new DeliverError('E_FILE_UNREADABLE', { what: `${where} can’t be read.`, why: messageOf(cause), cause });
}
