import type { AnswerBody, HeldBody, HttpAnswer, HttpCall } from './http-call.ts';
import { requestHead } from './request-head.ts';
import { failureOf, type TransferThread } from './transfer-threads.ts';
import type { Destination, PlaceOrder, TransferLimits, TransferWord } from './transfer-words.ts';

type Failed = Extract<TransferWord, { kind: 'failed' }>;

/** A transfer that broke off on its thread. */
export class Broken extends Error {
  /** Offset in the blob up to which it was written. */
  readonly reached: number;
  /** The file could not be written: another try would fail as well. */
  readonly disk: boolean;

  constructor(failed: Failed) {
    super(failed.message, { cause: failureOf(failed) });
    this.reached = failed.reached;
    this.disk = failed.disk;
  }
}

/** The body of an answer that a thread holds. */
export class RemoteBody implements HeldBody {
  readonly #thread: TransferThread;
  readonly #signal: AbortSignal | undefined;
  readonly #placed = Promise.withResolvers<number>();
  readonly #abort = (): void => {
    this.drop();
  };
  #id = -1;
  #over = false;
  #onBytes: (count: number) => void = () => undefined;

  constructor(thread: TransferThread, signal: AbortSignal | undefined) {
    this.#thread = thread;
    this.#signal = signal;
    // A body that nobody wants may fail too.
    this.#placed.promise.catch(() => undefined);
  }

  /** Undefined when the answer is framed in a way that is left to the HTTP library (RFC 9112 6): ask that one instead. */
  async get(call: HttpCall, to: Destination, limits: TransferLimits): Promise<HttpAnswer | undefined> {
    this.#signal?.throwIfAborted();
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    const head = Promise.withResolvers<Extract<TransferWord, { kind: 'head' }>>();
    this.#id = this.#thread.begin({ kind: 'get', to, head: headOf(call), limits }, (word) => {
      if (word.kind === 'head') head.resolve(word);
      else if (word.kind === 'progress') this.#onBytes(word.count);
      else this.#end();
      if (word.kind === 'placed') this.#placed.resolve(word.reached);
      if (word.kind === 'failed') {
        head.reject(failureOf(word));
        this.#placed.reject(new Broken(word));
      }
    });
    const { status, headers, length, body } = await head.promise;
    const header = (name: string): string | undefined => headers.get(name.toLowerCase());
    if (body !== undefined || length === undefined) this.#end();
    if (body !== undefined) return { status, header, body: inMemory(body) };
    return length === undefined ? undefined : { status, header, body: this.#untouched(), remote: { body: this, length } };
  }

  async place(order: PlaceOrder, onBytes: (count: number) => void): Promise<number> {
    this.#onBytes = onBytes;
    this.#thread.tell(this.#id, { kind: 'place', order });
    return this.#placed.promise;
  }

  shorten(end: number): void {
    if (!this.#over) this.#thread.tell(this.#id, { kind: 'shorten', end });
  }

  drop(): void {
    if (!this.#over) this.#thread.tell(this.#id, { kind: 'drop' });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#thread.finish(this.#id);
  }

  /** What the rest of the client sees of it: something that can be left. */
  #untouched(): AnswerBody {
    return {
      ...inMemory(),
      destroy: () => {
        this.drop();
      },
      dump: async () => {
        this.drop();
      },
    };
  }
}

function headOf({ url, headers }: HttpCall): string {
  return requestHead(url, { 'user-agent': 'deliver', accept: '*/*', ...headers, connection: 'close' });
}

function inMemory(...chunks: readonly Uint8Array[]): AnswerBody {
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
    destroy: () => undefined,
    dump: async () => undefined,
  };
}
