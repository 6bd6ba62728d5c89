import { createHash } from 'node:crypto';
import { hexOf, isDigest, type Digest } from '../core/digest.ts';
import type { StoredHead } from '../store/port.ts';
import { partsOf } from './part-size.ts';

/** Under which name an object keeps the sha256 of its content: `x-amz-meta-deliver-sha256`, 64 hex digits. */
export const SHA256_KEY = 'deliver-sha256';
/** Under which name an object says that every part but the last had so many bytes, so that its checksum can be made again. */
export const PART_SIZE_KEY = 'deliver-part-size';

/** What an object says its content is: its sha256, or the checksum of the checksums of parts of a known size (base64, `-`, count). */
export type Promised =
  { readonly kind: 'whole'; readonly digest: Digest } | { readonly kind: 'parts'; readonly checksum: string };

/** Undefined for objects that deliver did not publish, and for those that a copy took the checksum from. */
export function promiseOf({ metadata, sha256, size }: StoredHead, partSize: number): Promised | undefined {
  const digest = `sha256:${metadata[SHA256_KEY] ?? ''}`;
  if (isDigest(digest)) return { kind: 'whole', digest };
  const isOurs = metadata[PART_SIZE_KEY] === String(partSize) && sha256?.endsWith(`-${String(partsOf(size).length)}`) === true;
  return isOurs ? { kind: 'parts', checksum: sha256 } : undefined;
}

/** The checksum that S3 makes of an object: of its parts' checksums when there are several. @param parts base64, in order */
export function checksumOf(parts: readonly string[]): string {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const hash = createHash('sha256');
  for (const sha256 of parts) hash.update(Buffer.from(sha256, 'base64'));
  return `${hash.digest('base64')}-${String(parts.length)}`;
}

/** A digest as S3 writes checksums. */
export function base64Of(digest: Digest): string {
  return Buffer.from(hexOf(digest), 'hex').toString('base64');
}
