/** Where in an open file a blob belongs. */
export interface FilePlace {
  readonly descriptor: number;
  /** Of its first byte, from the start of the file. */
  readonly offset: number;
}

/** A range of a blob on its way into the file. */
export interface Piece {
  /** False when the source sends no such range: nothing of it was written then. */
  readonly agreed: Promise<boolean>;
  /** Offset in the blob up to which it was written: its end, or less where the source has no more. */
  readonly done: Promise<number>;
  /** Makes it end earlier; what is beyond already stays written. */
  shorten(end: number): void;
}

/** Brings one blob into a file without passing its bytes on, and hashes it; ranges of it may be on their way at once. */
export interface FileTransfer {
  /** From the first byte on; asked for already. */
  whole(onBytes: (count: number) => void): Piece;
  /** A range, end exclusive; a source that knows none begins again, and what comes before is passed over. */
  rest(from: number, end: number, onBytes: (count: number) => void): Piece;
  /** A range, end exclusive, only from a source that sends just that. */
  range(from: number, end: number, onBytes: (count: number) => void): Piece;
  /** Of what is written without a gap from the first byte on; to be asked when every piece is done. */
  content(): Promise<{ readonly size: number; readonly digest: string }>;
}
