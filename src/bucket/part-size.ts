const MIB = 1024 * 1024;
/** S3 takes parts from 5 MiB on; bigger ones waste fewer requests. */
const SMALLEST = 5 * MIB;
/** S3 API, “Amazon S3 multipart upload limits”. */
const MOST_PARTS = 10_000;
/** Bytes of parts that are in memory at once, unless one part alone is bigger. */
const IN_MEMORY = 32 * MIB;

/** A part of an object: a range of its bytes. */
export interface PartRange {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly size: number;
}

/** Bytes of every part but the last: by the size of the object alone, so that the next run cuts it the same way. */
export function partSizeOf(total: number): number {
  return Math.max(SMALLEST, Math.ceil(total / MOST_PARTS / MIB) * MIB);
}

/** The parts of an object of this size, in order. */
export function partsOf(total: number): readonly PartRange[] {
  const size = partSizeOf(total);
  return Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, at) => ({
    number: at + 1,
    offset: at * size,
    size: Math.min(size, total - at * size),
  }));
}

/** How many parts may be on their way at once, so that memory stays bounded. */
export function partsAtOnce(total: number, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(IN_MEMORY / partSizeOf(total))));
}
