import type { FileHandle } from 'node:fs/promises';
import { unreadable } from '../bundle/byte-source.ts';
import type { HashPool } from '../bundle/hash-pool.ts';
import { parseDigest, type Digest } from '../core/digest.ts';

/** An open file of a known size, or a range of one. */
export interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly size: number;
  /** Where the range begins; 0 when absent. */
  readonly start?: number;
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
