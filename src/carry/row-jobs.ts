import type { FilePlace } from '../core/file-transfer.ts';
import type { KernelShare } from './kernel.ts';

/** A piece of a volume in a row of the shared memory. */
export interface Piece {
  /** Number of the volume, data before parity. */
  readonly volume: number;
  /** Which row of the memory. */
  readonly slot: number;
  /** Bytes from the start of the volume. */
  readonly at: number;
  readonly length: number;
}

export type RowJob = { readonly bank: number } &
  /** Read each piece, and hash it for its volume. */
  (
    | { readonly kind: 'take'; readonly pieces: readonly (Piece & { readonly from: FilePlace })[] }
    /** Make parity of a part of the row. */
    | { readonly kind: 'parity'; readonly from: number; readonly length: number }
    | {
        readonly kind: 'end';
        /** Parity, to hash for its volume. */
        readonly wholes: readonly Piece[];
        /** To hash for their leaves, and to write. */
        readonly leaves: readonly (Piece & { readonly ends: boolean; readonly to?: FilePlace })[];
      }
  );

/** Hashes that a thread has in hand. */
export interface ThreadHashes {
  /** By number of volume, as hex. */
  readonly wholes: readonly (readonly [number, string])[];
  readonly leaves: readonly (readonly [number, readonly string[]])[];
}

export type RowQuestion = RowJob | { readonly kind: 'finish' };

export type RowAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'hashes'; readonly hashes: ThreadHashes }
  | {
      readonly kind: 'failed';
      readonly act: 'read' | 'write';
      readonly descriptor: number;
      readonly offset: number;
      readonly message: string;
      readonly code: string | undefined;
    }
  | { readonly kind: 'short' };

/** What a thread is given when it starts: the memory that all share. */
export interface RowThreadData {
  readonly share: KernelShare;
}
