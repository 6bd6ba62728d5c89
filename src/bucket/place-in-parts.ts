import { createHash } from 'node:crypto';
import type { BlobOrigins } from '../bundle/blob-origin.ts';
import { orAborted } from '../bundle/place-blob.ts';
import { Verifier } from '../core/digest.ts';
import { DeliverError, isDeliverError, messageOf } from '../core/errors.ts';
import type { PartAssembler } from './assemble-parts.ts';
import type { MappedBlob, Segment } from './part-map.ts';
import type { SentContent } from './upload-journal.ts';

interface Way {
  readonly origins: BlobOrigins;
  readonly assembler: PartAssembler;
  /** Parts that are up: nothing of them is kept in memory, but what comes has to be what they hold. */
  readonly kept: ReadonlyMap<number, SentContent>;
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Streams a blob into the parts that it fills, and verifies it. Its last segment counts as filled only when it is verified, so a
 * blob that lies in one part is never sent before.
 * @returns numbers of parts that are up and hold something else of it
 * @throws DeliverError E_DIGEST, E_SIZE, E_SOURCE*
 */
export async function placeInParts({ member, segments }: MappedBlob, way: Way): Promise<readonly number[]> {
  const source = way.origins.describe(member.digest);
  const verifier = new Verifier(member, source);
  const cursor = new SegmentCursor(segments, way);
  try {
    const bytes = await orAborted(way.origins.open(member.digest, way.signal), way.signal);
    for await (const chunk of bytes) {
      way.signal.throwIfAborted();
      verifier.update(chunk);
      for (let rest = chunk; rest.byteLength > 0;) rest = rest.subarray(await cursor.take(rest));
      way.onBytes(chunk.byteLength);
    }
    verifier.finish();
  } catch (error) {
    way.signal.throwIfAborted();
    throw told(error, source);
  }
  await cursor.finish();
  return cursor.different;
}

/** Walks along the segments of one blob. */
class SegmentCursor {
  readonly #segments: readonly Segment[];
  readonly #way: Way;
  #at = 0;
  #done = 0;
  #hash = createHash('sha256');
  #target: Buffer | undefined;
  readonly different: number[] = [];

  constructor(segments: readonly Segment[], way: Way) {
    this.#segments = segments;
    this.#way = way;
  }

  /** @returns how many bytes of the chunk the segment took */
  async take(chunk: Uint8Array): Promise<number> {
    if (this.#done === this.#segments[this.#at]?.size) await this.#next();
    const segment = this.#segments[this.#at];
    if (segment === undefined) return chunk.byteLength;
    const count = Math.min(chunk.byteLength, segment.size - this.#done);
    const ours = chunk.subarray(0, count);
    if (!this.#way.kept.has(segment.part.number)) {
      this.#target ??= await this.#way.assembler.target(segment);
      this.#target.set(ours, this.#done);
    }
    this.#hash.update(ours);
    this.#done += count;
    return count;
  }

  async finish(): Promise<void> {
    if (this.#segments.length > 0) await this.#next();
  }

  async #next(): Promise<void> {
    const segment = this.#segments[this.#at];
    if (segment === undefined) return;
    const sha256 = this.#hash.digest('hex');
    const kept = this.#way.kept.get(segment.part.number);
    if (kept === undefined) await this.#way.assembler.filled(segment, sha256);
    else if (kept.segments[segment.index] !== sha256) this.different.push(segment.part.number);
    this.#at += 1;
    this.#done = 0;
    this.#hash = createHash('sha256');
    this.#target = undefined;
  }
}

function told(error: unknown, source: string): unknown {
  if (isDeliverError(error, 'E_DIGEST', 'E_SIZE')) {
    return error.with({
      fix: 'If the source was changed on purpose, run deliver resolve and review the lock; else ask who changed it.',
    });
  }
  if (isDeliverError(error, 'E_SOURCE', 'E_SOURCE_AUTH', 'E_SOURCE_NOT_FOUND')) {
    return error.facts.what.includes(source) ? error : error.with({ what: `${source} can't be fetched: ${error.facts.what}` });
  }
  if (error instanceof DeliverError) return error;
  return new DeliverError('E_SOURCE', { what: `${source} broke off.`, why: messageOf(error), cause: error });
}
