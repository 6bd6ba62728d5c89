import type { Digest } from '../core/digest.ts';
import type { Descriptor } from '../core/oci.ts';
import type { Lock } from '../lock/lock-schema.ts';
import type { PlannedDelta } from './delta.ts';
import type { BundlePlan } from './plan.ts';
import type { SignatureBlob } from './signature/signature-room.ts';

export type BundleSignature = SignatureBlob;

/** A bundle that was opened: structure and lock are checked, blobs are where the lock says. Reads in place, never unpacks. */
export interface Bundle {
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Descriptor of the release manifest: the one root that everything hangs from. */
  readonly root: Descriptor;
  /** Bytes of the release manifest: what signatures cover. */
  readonly rootBytes: Uint8Array;
  readonly lock: Lock;
  /** The place of every member, recomputed from the lock and compared with the file. */
  readonly plan: BundlePlan;
  readonly signatures: readonly BundleSignature[];
  /** What a delta leaves out, and which base has it; absent for a full bundle. */
  readonly delta?: PlannedDelta;
  /** Every content blob that the file holds, by digest, in file order. */
  readonly blobs: ReadonlyMap<Digest, { readonly offset: number; readonly size: number; readonly mediaType: string }>;
  /** A small blob, verified. @throws DeliverError E_DIGEST */
  bytes(digest: Digest): Promise<Uint8Array>;
  /**
   * A blob from its place in the file; ends only after its digest was checked.
   * @param memory `reused`: a chunk is good only until the next but one is asked for; `fresh` when absent
   * @throws DeliverError E_DIGEST
   */
  stream(digest: Digest, signal?: AbortSignal, memory?: 'reused' | 'fresh'): AsyncIterable<Uint8Array>;
  /** Bytes of a blob as they lie in the file, not verified: for someone who has checked the whole; chunks as `reused`. */
  range(digest: Digest, start: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Reads a blob and checks its digest, on another thread where that pays. @throws DeliverError E_DIGEST, E_SIZE, E_FILE_UNREADABLE */
  check(digest: Digest, onBytes: (count: number) => void, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
