import type { FileHandle } from 'node:fs/promises';
import { unreadable } from '../bundle/byte-source.ts';
import { HashPool } from '../bundle/hash-pool.ts';
import { parseDigest, hexOf, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import { partsOf, type PartRange } from './part-size.ts';

/** Stands for the whole file among the part numbers, which begin at 1. */
const WHOLE = 0;

export interface FingerprintedPart extends PartRange {
  /** Base64, as S3 writes checksums. */
  readonly sha256: string;
}

/** What a file is, as a whole and part by part. */
export interface Fingerprint {
  readonly digest: Digest;
  readonly size: number;
  readonly parts: readonly FingerprintedPart[];
}

/** An open file of a known size, or a range of one. */
export interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly size: number;
  /** Where the range begins; 0 when absent. */
  readonly start?: number;
}

/**
 * Hashes a file as a whole and each of its parts, on all cores.
 * @throws DeliverError E_FILE_UNREADABLE
 */
export async function fingerprint(
  file: OpenFile,
  onBytes: (count: number) => void,
  signal: AbortSignal | undefined,
  shared?: HashPool,
): Promise<Fingerprint> {
  const ranges = partsOf(file.size);
  const digests = new Map<number, Digest>();
  const pool = shared ?? new HashPool();
  try {
    const jobs = [{ number: WHOLE, offset: 0, size: file.size }, ...ranges];
    await inParallel(jobs, pool.size, signal, async (range, jobSignal) => {
      const silent = (): void => undefined;
      digests.set(range.number, await hashRange(pool, file, range, range.number === WHOLE ? onBytes : silent, jobSignal));
    });
  } finally {
    if (shared === undefined) await pool.close();
  }
  const of = (number: number): Digest => {
    const digest = digests.get(number);
    if (digest === undefined) throw new DeliverError('E_BUG', { what: `Part ${String(number)} was not hashed.` });
    return digest;
  };
  return { digest: of(WHOLE), size: file.size, parts: ranges.map((range) => ({ ...range, sha256: base64Of(of(range.number)) })) };
}

/** @throws DeliverError E_FILE_UNREADABLE, also when the file ends before the range */
export async function hashRange(
  pool: HashPool,
  { path, handle, start = 0 }: Pick<OpenFile, 'path' | 'handle' | 'start'>,
  { offset, size }: { readonly offset: number; readonly size: number },
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<Digest> {
  const outcome = await pool.hash({ descriptor: handle.fd, offset: start + offset, size }, onBytes, signal);
  if (outcome.kind === 'failed') throw unreadable(path, outcome.offset, outcome);
  if (outcome.size !== size) throw unreadable(path, offset + outcome.size, new Error('the file became shorter'));
  return parseDigest(outcome.digest);
}

/** A digest as S3 writes checksums. */
export function base64Of(digest: Digest): string {
  return Buffer.from(hexOf(digest), 'hex').toString('base64');
}
