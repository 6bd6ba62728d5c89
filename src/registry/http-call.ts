export interface HttpCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer begins; 0 when the caller watches over it. */
  readonly answerWithin?: number;
  /** A GET whose answer is large: it may come over a connection of its own, its chunks in memory that is used again. */
  readonly large?: boolean;
}

/** A body on its way. A chunk is good until the next one is asked for. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
  /** Reads on to the end, or gives up past `limit` bytes. */
  dump(options: { readonly limit: number }): Promise<unknown>;
}

export interface HttpAnswer {
  readonly status: number;
  /** One header, several of the same name joined as RFC 9110 5.3 says. */
  header(name: string): string | undefined;
  readonly body: AnswerBody;
}
