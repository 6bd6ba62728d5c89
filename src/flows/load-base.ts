import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { baseOfBundle, baseOfLock } from '../bundle/base-of-lock.ts';
import type { Base } from '../bundle/base.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { isCarrySet } from '../bundle/open-source.ts';
import { fingerprintOf } from '../bundle/signature/public-key.ts';
import { DeliverError } from '../core/errors.ts';
import { readLock } from '../lock/lock-file.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { mayBeReceipt, type ReadReceipt } from '../receipt/read-receipt.ts';
import { signingKeyOf } from '../receipt/sign-receipt.ts';
import { baseOfReceipt } from './receipt-base.ts';

/** A release as it was locked, from either of the files that hold it. */
export interface LockedFile {
  readonly lock: Lock;
  readonly base: Base;
}

/**
 * What `--since` is given: all that `loadLocked` reads, or a receipt as a file, as typed text or as scanned codes.
 * @param folders where else to look for the lock or the bundle that a receipt names
 * @returns the base, and of a receipt who says so; its signature is good, but nobody asked whether its key is trusted
 * @throws DeliverError as `loadLocked`; E_RECEIPT, E_LOCK_MISSING
 */
export async function loadBase(
  path: string,
  folders: readonly string[],
): Promise<{ readonly base: Base; readonly said?: string }> {
  if (!(await isReceipt(path))) return { base: (await loadLocked(path)).base };
  const { base, receipt } = await baseOfReceipt(path, folders);
  return { base, said: saidBy(receipt) };
}

/**
 * What `diff` is given: all that `loadLocked` reads, or a receipt whose lock or bundle is in one of these folders or beside it.
 * @throws DeliverError as `loadLocked`; E_RECEIPT, E_LOCK_MISSING
 */
export async function loadSide(path: string, folders: readonly string[]): Promise<LockedFile & { readonly said?: string }> {
  if (!(await isReceipt(path))) return loadLocked(path);
  const { base, lock, receipt } = await baseOfReceipt(path, folders);
  if (lock !== undefined) return { base, lock, said: saidBy(receipt) };
  throw new DeliverError('E_LOCK_MISSING', {
    what: `The receipt ${path} lists the digests of ${base.name} ${base.version}, not what they are.`,
    why: `Neither the lock nor the bundle of that version is in ${[dirname(path), ...folders].join(', ')}.`,
    fix: 'Put one of them beside the receipt; pack --since takes the receipt as it is.',
  });
}

async function isReceipt(path: string): Promise<boolean> {
  return mayBeReceipt((await headOf(path)) ?? '') && !(await isCarrySet(path));
}

function saidBy({ receipt, path }: ReadReceipt): string {
  const by = fingerprintOf({ blob: signingKeyOf(receipt, path) });
  return `receipt ${String(receipt.number)} of ${receipt.site}, signed by ${by}`;
}

/**
 * What `diff` and `--since` are given most of the time: a bundle, which is told by its first bytes, a carry set, or a lock.
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
