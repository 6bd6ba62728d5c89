import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { baseOfBundle, baseOfLock } from '../bundle/base-of-lock.ts';
import type { Base } from '../bundle/base.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import type { Digest } from '../core/digest.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import { readLock } from '../lock/lock-file.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { readReceipt, type ReadReceipt } from '../receipt/read-receipt.ts';

/** The base that a receipt names: its lock where the packager still has it, else the digests of the full form. */
export interface ReceiptBase {
  readonly base: Base;
  /** Absent when only digests are known. */
  readonly lock?: Lock;
  readonly receipt: ReadReceipt;
}

/**
 * A lock is better than a list of digests, because it knows in which repository of the site a blob lies; so it is looked
 * for first: locks and bundles in these folders and beside the receipt.
 * @throws DeliverError E_RECEIPT, E_LOCK_MISSING
 */
export async function baseOfReceipt(path: string, folders: readonly string[]): Promise<ReceiptBase> {
  const receipt = await readReceipt(path);
  const { release, digests } = receipt.receipt;
  const places = [...new Set([dirname(path), ...folders])];
  for (const place of places) {
    const found = await findIn(place, release);
    if (found !== undefined) return { ...found, receipt };
  }
  if (digests !== undefined) return { base: { ...release, digests: new Set(digests) }, receipt };
  throw new DeliverError('E_LOCK_MISSING', {
    what: `The receipt ${path} names ${release.name} ${release.version}, but neither its lock nor its bundle is here.`,
    why: `Looked for ${release.root} in the locks and bundles of ${places.join(', ')}.`,
    fix: 'Give the lock or bundle of that version with --since, or ask the site for a receipt with --full BUNDLE.',
    state: 'Nothing was written.',
  });
}

async function findIn(
  folder: string,
  wanted: { readonly version: string; readonly root: Digest },
): Promise<{ readonly base: Base; readonly lock: Lock } | undefined> {
  const names = await readdir(folder).catch(() => []);
  // Most likely first: files that are called after the version.
  const likely = (name: string): number => Number(name.includes(wanted.version));
  const candidates = names
    .filter((name) => /\.(?:lock\.ya?ml|tar)$/.test(name))
    .sort((a, b) => likely(b) - likely(a) || (a < b ? -1 : 1));
  for (const name of candidates) {
    const found = await tryFile(join(folder, name));
    if (found?.base.root === wanted.root) return found;
  }
  return undefined;
}

/** Undefined for what is no lock and no bundle, or a damaged one: another file may do. */
async function tryFile(path: string): Promise<{ readonly base: Base; readonly lock: Lock } | undefined> {
  try {
    if (!path.endsWith('.tar')) {
      const lock = await readLock(path);
      return { lock, base: baseOfLock(lock) };
    }
    const bundle = await openBundle(path);
    await bundle.close();
    return { lock: bundle.lock, base: baseOfBundle(bundle) };
  } catch (error) {
    if (isDeliverError(error)) return undefined;
    throw error;
  }
}
