import { createHash } from 'node:crypto';
import { parseDigest, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { OpenFile } from './hash-range.ts';
import { partsAtOnce, partsOf, partSizeOf, type PartRange } from './part-size.ts';

/** A part of a file that was read. Its memory is used again when the work on it ends. */
export interface ReadPart extends PartRange {
  readonly bytes: Buffer;
  /** Base64, as S3 writes checksums. */
  readonly sha256: string;
}

/** What a file is, as a whole and part by part. */
export interface Fingerprint {
  readonly digest: Digest;
  readonly size: number;
  /** Checksums of the parts in their order, base64. */
  readonly parts: readonly string[];
}

export interface ReadOptions {
  /** Parts in hand at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  /** Buffers of the smallest part's size that nobody uses now. */
  readonly buffers?: Buffer[];
}

/**
 * Reads a file once, part by part in order, hashing whole and parts; the work on several parts goes on at the same time.
 * @throws DeliverError E_FILE_UNREADABLE, and what `work` throws
 */
export async function readParts(
  file: OpenFile,
  { concurrency, signal, buffers: shared }: ReadOptions,
  work: (part: ReadPart, signal: AbortSignal) => Promise<void>,
): Promise<Fingerprint> {
  const ranges = partsOf(file.size);
  const whole = createHash('sha256');
  const checksums: string[] = [];
  // Only very big files have bigger parts than those that small ones leave behind.
  const buffers = partSizeOf(file.size) === partSizeOf(0) ? (shared ?? []) : [];
  const bufferSize = shared === undefined ? (ranges[0]?.size ?? 0) : partSizeOf(file.size);
  let turn = Promise.resolve();
  await inParallel(ranges, partsAtOnce(file.size, concurrency), signal, async (range, partSignal) => {
    const before = turn;
    const mine = Promise.withResolvers<undefined>();
    turn = mine.promise.then(() => undefined);
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(bufferSize);
    const bytes = buffer.subarray(0, range.size);
    let sha256: string;
    try {
      await before;
      partSignal.throwIfAborted();
      await fill(file, bytes, range.offset);
      whole.update(bytes);
      sha256 = createHash('sha256').update(bytes).digest('base64');
      checksums.push(sha256);
    } finally {
      mine.resolve(undefined);
    }
    await work({ ...range, bytes, sha256 }, partSignal);
    buffers.push(buffer);
  });
  return { digest: parseDigest(`sha256:${whole.digest('hex')}`), size: file.size, parts: checksums };
}

async function fill({ path, handle, start = 0 }: OpenFile, target: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < target.byteLength;) {
    const { bytesRead } = await handle.read(target, done, target.byteLength - done, start + offset + done);
    if (bytesRead === 0) throw new DeliverError('E_FILE_UNREADABLE', { what: `${path} became shorter while it was being sent.` });
    done += bytesRead;
  }
}
