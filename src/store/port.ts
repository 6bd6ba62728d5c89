import type { Digest } from '../core/digest.ts';

/** A file that a release names by path or URL. */
export interface FileSource {
  /** Size in bytes and digest of the whole file: read once. */
  measure(location: string, signal?: AbortSignal): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Its bytes, not yet verified. */
  open(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}
