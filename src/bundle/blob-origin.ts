import type { Digest } from '../core/digest.ts';
import type { FilePlace, FileTransfer } from '../core/file-transfer.ts';
import type { PlannedMember } from './plan.ts';

/** Where the blobs of a release come from. */
export interface BlobOrigins {
  /** For messages: `image docker.io/library/busybox:1.36, blob 2 of 3, from mirror.corp.example`. */
  describe(digest: Digest): string;
  /** The bytes from the first one on, not yet verified. A chunk need only be good until the next one is asked for. @throws DeliverError E_SOURCE* */
  open(digest: Digest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** The same straight into the file, on another thread; undefined where that can't be. @throws DeliverError E_SOURCE* */
  transfer?(digest: Digest, place: FilePlace, signal: AbortSignal): Promise<FileTransfer | undefined>;
  /** It is read from a path or server straight into memory that is used again: a thread beside those of `transfer` would cost more than it gives. */
  isFile?(digest: Digest): boolean;
}

/** A blob that somebody has to be asked for. */
export type WantedBlob = PlannedMember & { readonly digest: Digest };
