import { open, stat } from 'node:fs/promises';
import { baseOfBundle, baseOfLock } from '../bundle/base-of-lock.ts';
import type { Base } from '../bundle/base.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { isCarrySet } from '../bundle/open-source.ts';
import { fingerprintOf } from '../bundle/public-key.ts';
import { readLock } from '../lock/lock-file.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { signingKeyOf } from '../receipt/sign-receipt.ts';
import { baseOfReceipt } from './receipt-base.ts';

/** A release as it was locked, from either of the files that hold it. */
export interface LockedFile {
  readonly lock: Lock;
  readonly base: Base;
}

/**
 * What `--since` is given: all that `loadLocked` reads, or a receipt as a file or as typed text.
 * @param folders where else to look for the lock or the bundle that a receipt names
 * @returns the base, and of a receipt who says so; its signature is good, but nobody asked whether its key is trusted
 * @throws DeliverError as `loadLocked`; E_RECEIPT, E_LOCK_MISSING
 */
export async function loadBase(
  path: string,
  folders: readonly string[],
): Promise<{ readonly base: Base; readonly said?: string }> {
  const head = (await headOf(path)) ?? '';
  const isReceipt = head.startsWith('{') || head.startsWith('-----BEGIN DELIV');
  if (!isReceipt || (await isCarrySet(path))) return { base: (await loadLocked(path)).base };
  const { base, receipt } = await baseOfReceipt(path, folders);
  const by = fingerprintOf({ blob: signingKeyOf(receipt.receipt, path) });
  return { base, said: `receipt ${String(receipt.receipt.number)} of ${receipt.receipt.site}, signed by ${by}` };
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
