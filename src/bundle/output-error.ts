import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';

/** What the operating system calls its errors, and Node those of `rm` and `cp`; Node's others (`ERR_INVALID_ARG_TYPE` …) are bugs. */
const SYSTEM_ERROR = /^(?:E[A-Z0-9]+|ERR_FS_\w+)$/;

/**
 * A failure to write the bundle, in words of its cause; errors of ours pass.
 * @throws what is no word of the operating system, as it is: that is a bug, and no other folder helps
 */
export function outputError(path: string, error: unknown): DeliverError {
  if (error instanceof DeliverError) return error;
  const code = systemCode(error);
  if (code === undefined || !SYSTEM_ERROR.test(code)) throw error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DeliverError('E_DISK_FULL', {
      what: `The disk or quota of ${dirname(path)} is full.`,
      why: messageOf(error),
      fix: 'Free some space, or write elsewhere with --output; then run the same command again.',
      cause: error,
    });
  }
  return new DeliverError('E_OUTPUT', {
    what: `${path} can't be written.`,
    why: code === 'EFBIG' ? 'The file system does not take files of this size (FAT32 ends at 4 GiB).' : messageOf(error),
    fix: 'Choose another folder with --output.',
    cause: error,
  });
}

/**
 * Refuses before the first byte when the disk can't hold the bundle.
 * @param needed bytes that are still to be allocated
 * @throws DeliverError E_DISK_FULL
 */
export async function needSpace(path: string, needed: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(dirname(path));
  // Some network and user-space file systems answer zeros for “unknown”.
  if (blocks === 0 || bavail * bsize >= needed) return;
  throw new DeliverError('E_DISK_FULL', {
    what: `${dirname(path)} has no room for the bundle.`,
    why: `${String(needed)} bytes are needed, ${String(bavail * bsize)} are free.`,
    fix: 'Free some space, or write elsewhere with --output.',
    state: 'Nothing was fetched.',
  });
}
