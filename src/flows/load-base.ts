import { open, stat } from 'node:fs/promises';
import { baseOfBundle, baseOfLock } from '../bundle/base-of-lock.ts';
import type { Base } from '../bundle/base.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { isCarrySet } from '../bundle/open-source.ts';
import { DeliverError } from '../core/errors.ts';
import { readLock } from '../lock/lock-file.ts';
import type { Lock } from '../lock/lock-schema.ts';

/** A release as it was locked, from either of the files that hold it. */
export interface LockedFile {
  readonly lock: Lock;
  readonly base: Base;
}

/**
 * What `--since` is given: all that `loadLocked` reads. The place where receipts come in, which are no release by themselves.
 * @throws DeliverError as `loadLocked`; E_NOT_YET for a receipt
 */
export async function loadBase(path: string): Promise<Base> {
  if ((await headOf(path))?.startsWith('{') === true && !(await isCarrySet(path))) {
    throw new DeliverError('E_NOT_YET', {
      what: `${path} looks like a receipt; those can’t be read here yet.`,
      fix: 'Give the lock or the bundle of the release that the site has.',
    });
  }
  return (await loadLocked(path)).base;
}

/**
 * What `diff` is given, and `--since` most of the time: a bundle, which is told by its first bytes, a carry set, or a lock.
 * @throws DeliverError E_FILE_NOT_FOUND, E_BUNDLE, E_YAML, E_SCHEMA
 */
export async function loadLocked(path: string): Promise<LockedFile> {
  const head = await headOf(path);
  if (head === undefined || head.startsWith('oci-layout\0') || path.endsWith('.tar') || (await isCarrySet(path))) {
    const bundle = await openBundle(path);
    await bundle.close();
    return { lock: bundle.lock, base: baseOfBundle(bundle) };
  }
  const lock = await readLock(path);
  return { lock, base: baseOfLock(lock) };
}

/** The first bytes of a file; undefined when it is none, which opening it as a bundle explains best. */
async function headOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
