import { LEAF, leafCount } from './layout.ts';

/** A range of the bundle, in bytes from its start. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A part of the bundle that one thread reads in order: whole leaves, and the parts of those at its ends. */
export interface ContentPart {
  readonly range: Range;
  /** Leaves that lie wholly in it. */
  readonly firstLeaf: number;
  readonly endLeaf: number;
  /** Blobs that begin and end in it, in order. */
  readonly blobs: readonly Range[];
}

/** The part of a leaf that ends or begins where a part of the bundle does; unread where the medium gave nothing. */
export interface Edge {
  readonly length: number;
  readonly bytes?: Uint8Array;
}

export type ScanJob =
  | (ContentPart & {
      readonly kind: 'content';
      /** Open files of the data volumes. */
      readonly descriptors: readonly number[];
      readonly volumeSize: number;
      readonly size: number;
      readonly head: Edge;
      readonly tail: Edge;
    })
  /** Leaves of one file that no blob lies in: parity. */
  | {
      readonly kind: 'leaves';
      readonly descriptor: number;
      readonly size: number;
      readonly first: number;
      readonly count: number;
    };

/** Digests as hex; empty where something could not be read. */
export interface ScanAnswer {
  readonly leaves: readonly string[];
  readonly blobs: readonly string[];
}

/** Parts of about so many bytes: a blob is never cut, so that one thread can hash it. */
const PART = 16 * LEAF;

/** @param blobs in order, none over another; those past the end are left out */
export function contentParts(size: number, blobs: readonly Range[]): readonly ContentPart[] {
  const parts: ContentPart[] = [];
  let start = 0;
  let own: Range[] = [];
  const cut = (end: number): void => {
    const endLeaf = end === size ? leafCount(size) : Math.floor(end / LEAF);
    parts.push({ range: { start, end }, firstLeaf: Math.ceil(start / LEAF), endLeaf, blobs: own });
    start = end;
    own = [];
  };
  for (const blob of blobs.filter(({ end }) => end <= size)) {
    own.push(blob);
    if (blob.end - start >= PART && blob.end < size) cut(blob.end);
  }
  cut(size);
  return parts;
}
