import { isDigest, type Digest } from '../core/digest.ts';
import type { StoredHead } from '../store/port.ts';

/** Under which name an object keeps the sha256 of its content: `x-amz-meta-deliver-sha256`, 64 hex digits. */
export const SHA256_KEY = 'deliver-sha256';

/** What an object says its content is; undefined for objects that deliver did not publish. */
export function promisedDigest({ metadata }: StoredHead): Digest | undefined {
  const digest = `sha256:${metadata[SHA256_KEY] ?? ''}`;
  return isDigest(digest) ? digest : undefined;
}
