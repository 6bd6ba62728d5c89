import type { FilePlace } from '../core/file-transfer.ts';

/** Where a connection goes. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  /** The name that TLS asks for and that the certificate has to be for; absent for plain HTTP. */
  readonly secureName?: string;
  /** PEM of a private CA, trusted besides the usual ones. */
  readonly ca?: string;
}

export interface TransferLimits {
  /** Milliseconds until the answer begins. */
  readonly answerWithin: number;
  /** Milliseconds between two pieces of it. */
  readonly stall: number;
}

export interface PlaceOrder {
  readonly place: FilePlace;
  /** Offset in the blob of the first byte of the body. */
  readonly start: number;
  /** What lies before is passed over. */
  readonly from: number;
  /** Where to stop, exclusive. */
  readonly end: number;
  /** Number of the hash that these bytes continue. */
  readonly hash?: number;
}

/** What a thread is told; `id` is that of a connection or of a question. */
export type TransferJob = { readonly id: number } & (
  | { readonly kind: 'get'; readonly to: Destination; readonly head: string; readonly limits: TransferLimits }
  | { readonly kind: 'place'; readonly order: PlaceOrder }
  | { readonly kind: 'shorten'; readonly end: number }
  | { readonly kind: 'drop' }
  | {
      readonly kind: 'read-back';
      readonly hash: number;
      readonly descriptor: number;
      readonly offset: number;
      readonly size: number;
    }
  | { readonly kind: 'digest'; readonly hash: number }
);

/** What it says. */
export type TransferWord = { readonly id: number } & (
  | {
      readonly kind: 'head';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      /** Bytes of the body; undefined when it is framed in a way that is left to the HTTP library. */
      readonly length: number | undefined;
      /** Of an answer that is no content. */
      readonly body?: Uint8Array;
    }
  | { readonly kind: 'progress'; readonly count: number }
  | { readonly kind: 'placed'; readonly reached: number }
  | {
      readonly kind: 'failed';
      readonly reached: number;
      readonly message: string;
      readonly code: string | undefined;
      readonly disk: boolean;
    }
  | { readonly kind: 'done'; readonly digest?: string }
);
