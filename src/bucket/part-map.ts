import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import { TAR_BLOCK } from '../core/tar-header.ts';
import { headerOf, type BundlePlan, type PlannedMember } from '../bundle/plan.ts';
import type { WantedBlob } from '../bundle/blob-origin.ts';
import { partsOf, type PartRange } from './part-size.ts';

/** The bytes of one blob that lie in one part. */
export interface Segment {
  readonly part: MappedPart;
  /** Its place among the segments of its part. */
  readonly index: number;
  /** From the start of the part. */
  readonly offset: number;
  readonly size: number;
}

/** A part of a bundle, and what lies in it. */
export interface MappedPart extends PartRange {
  /** In file order. */
  readonly members: PlannedMember[];
  /** How many segments of blobs that have to be fetched it has. */
  segments: number;
}

/** A blob that has to be fetched, and the parts that it fills. */
export interface MappedBlob {
  readonly member: WantedBlob;
  readonly segments: readonly Segment[];
}

/** Which bytes of a bundle lie in which part of its object. */
export interface PartMap {
  readonly parts: readonly MappedPart[];
  /** In file order. */
  readonly blobs: readonly MappedBlob[];
}

export function partMap({ size, members }: BundlePlan): PartMap {
  const parts = partsOf(size).map((range): MappedPart => ({ ...range, members: [], segments: 0 }));
  const partSize = parts[0]?.size ?? 0;
  const between = (start: number, end: number): readonly MappedPart[] =>
    start === end ? [] : parts.slice(Math.floor(start / partSize), Math.ceil(end / partSize));
  const blobs = members.flatMap((member): MappedBlob[] => {
    for (const part of between(member.headerOffset, member.offset + member.size)) part.members.push(member);
    if (!isWanted(member)) return [];
    const segments = between(member.offset, member.offset + member.size).map((part): Segment => {
      const from = Math.max(member.offset, part.offset);
      const to = Math.min(member.offset + member.size, part.offset + part.size);
      return { part, index: part.segments++, offset: from - part.offset, size: to - from };
    });
    return [{ member, segments }];
  });
  return { parts, blobs };
}

/** Writes what is known without fetching: headers, members that deliver makes, and zeros between them. */
export function writeKnown(part: MappedPart, target: Buffer): void {
  target.fill(0);
  for (const member of part.members) {
    copyInto(target, headerOf(member), member.headerOffset - part.offset);
    if (member.content !== undefined) copyInto(target, member.content, member.headerOffset + TAR_BLOCK - part.offset);
  }
}

/** Names the bytes of a bundle before they are there: two plans of the same digest give the same bundle. */
export function digestOfPlan({ size, members }: BundlePlan): string {
  const lines = members.map(({ name, size: bytes, digest, content }) => {
    const pin = digest ?? (content === undefined ? '' : digestOf(content));
    return `${name} ${String(bytes)} ${pin}`;
  });
  return hexOf(digestOf([String(size), ...lines].join('\n')));
}

function isWanted(member: PlannedMember): member is WantedBlob & { readonly digest: Digest } {
  return member.digest !== undefined && member.content === undefined;
}

/** As much of it as lies in the target. */
function copyInto(target: Buffer, bytes: Uint8Array, at: number): void {
  const from = Math.max(0, -at);
  const to = Math.min(bytes.byteLength, target.byteLength - at);
  if (from < to) target.set(bytes.subarray(from, to), at + from);
}
