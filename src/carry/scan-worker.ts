import { createHash, hash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Said } from './crew.ts';
import { LEAF } from './layout.ts';
import type { Range, ScanAnswer, ScanJob } from './scan-jobs.ts';

// The entry of a worker thread: reads every byte of its part once, and hashes it for its leaf and for its blob.

const buffer = new Uint8Array(LEAF);
/** Bytes between two words about how far it is. */
const STEP = 16 * LEAF;

parentPort?.on('message', (job: ScanJob) => {
  tell({ answer: job.kind === 'content' ? content(job) : leaves(job) });
});

function tell(said: Said<ScanAnswer>): void {
  parentPort?.postMessage(said);
}

function content({
  range,
  firstLeaf,
  endLeaf,
  blobs,
  descriptors,
  volumeSize,
  size,
  head,
  tail,
}: ScanJob & { kind: 'content' }): ScanAnswer {
  const hashes = new BlobHashes(range.start, blobs);
  hashes.take(head.bytes, head.length);
  const digests: string[] = [];
  let told = firstLeaf;
  for (let leaf = firstLeaf; leaf < endLeaf; leaf++) {
    const at = leaf * LEAF;
    const volume = Math.floor(at / volumeSize);
    const bytes = readLeaf(descriptors[volume] ?? -1, at - volume * volumeSize, Math.min(LEAF, size - at));
    digests.push(bytes === undefined ? '' : hash('sha256', bytes, 'hex'));
    hashes.take(bytes, Math.min(LEAF, size - at));
    if ((leaf + 1 - told) * LEAF < STEP) continue;
    tell({ count: (leaf + 1 - told) * LEAF });
    told = leaf + 1;
  }
  hashes.take(tail.bytes, tail.length);
  return { leaves: digests, blobs: hashes.digests };
}

function leaves({ descriptor, size, first, count }: ScanJob & { kind: 'leaves' }): ScanAnswer {
  const digests = Array.from({ length: count }, (_, index) => {
    const at = (first + index) * LEAF;
    const bytes = readLeaf(descriptor, at, Math.min(LEAF, size - at));
    return bytes === undefined ? '' : hash('sha256', bytes, 'hex');
  });
  return { leaves: digests, blobs: [] };
}

/** Undefined where the file ends before, or the medium gives nothing. */
function readLeaf(descriptor: number, at: number, length: number): Uint8Array | undefined {
  try {
    for (let done = 0; done < length;) {
      const count = readSync(descriptor, buffer, done, length - done, at + done);
      if (count === 0) return undefined;
      done += count;
    }
    return buffer.subarray(0, length);
  } catch {
    return undefined;
  }
}

/** Hashes the blobs of a stretch of bytes that comes in order. */
class BlobHashes {
  readonly digests: string[] = [];
  readonly #blobs: readonly Range[];
  #at: number;
  #hash: Hash | undefined = createHash('sha256');

  constructor(start: number, blobs: readonly Range[]) {
    this.#at = start;
    this.#blobs = blobs;
  }

  /** @param bytes undefined when they could not be read: what they belong to has no digest */
  take(bytes: Uint8Array | undefined, length: number): void {
    const end = this.#at + length;
    for (
      let blob = this.#blobs[this.digests.length];
      blob !== undefined && blob.start < end;
      blob = this.#blobs[this.digests.length]
    ) {
      const from = Math.max(blob.start, this.#at);
      const to = Math.min(blob.end, end);
      if (bytes === undefined) this.#hash = undefined;
      else this.#hash?.update(bytes.subarray(from - this.#at, to - this.#at));
      if (to < blob.end) break;
      this.digests.push(this.#hash?.digest('hex') ?? '');
      this.#hash = createHash('sha256');
    }
    this.#at = end;
  }
}
