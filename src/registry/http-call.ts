import type { TransferThread } from './transfer-threads.ts';
import type { PlaceOrder } from './transfer-words.ts';

export interface HttpCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer begins; 0 when the caller watches over it. */
  readonly answerWithin?: number;
  /** The thread that is to receive a large answer, over a connection of its own; not asked where a proxy or tunnel is in between. */
  readonly thread?: TransferThread;
}

/** A body on its way. A chunk is good until the next one is asked for. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
  /** Reads on to the end, or gives up past `limit` bytes. */
  dump(options: { readonly limit: number }): Promise<unknown>;
}

/** A body that another thread holds until it is told where it goes. */
export interface HeldBody {
  /** Writes it; fulfilled with the offset in the blob where it ended. @throws Broken */
  place(order: PlaceOrder, onBytes: (count: number) => void): Promise<number>;
  shorten(end: number): void;
  drop(): void;
}

export interface HttpAnswer {
  readonly status: number;
  /** One header, several of the same name joined as RFC 9110 5.3 says. */
  header(name: string): string | undefined;
  readonly body: AnswerBody;
  /** Held by the thread that received it; `body` is empty then. Content of a GET with `thread` alone comes so. */
  readonly remote?: { readonly body: HeldBody; readonly length: number };
}
