import type { Digest } from '../core/digest.ts';

/** What a client asked, as far as it matters here. */
export interface ServeRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
}

/** Bytes of a blob that an answer ends with. */
export interface BlobBody {
  readonly digest: Digest;
  readonly start: number;
  readonly length: number;
  /** Ends only when the bytes are known to be right; each chunk is good until the next but one is asked for. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface ServeAnswer {
  readonly status: number;
  /** `Content-Length` is always among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for HEAD. */
  readonly body?: Uint8Array | BlobBody;
}

/** One line of the access log. */
export interface Served {
  readonly client: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Bytes of the body that were handed to the connection. */
  readonly bytes: number;
  /** Why the answer was broken off, when it was. */
  readonly broken?: string;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM texts; plain HTTP without them. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Listening {
  /** `https://127.0.0.1:5000` */
  readonly url: string;
  /** Takes no more requests, lets those in flight end for so long, breaks off the rest. Milliseconds. */
  close(grace: number): Promise<void>;
}

/** Whatever speaks HTTP to the clients of a bundle. */
export interface HttpListener {
  /**
   * @param answer must not throw but for a blob that can't be read
   * @throws DeliverError E_LISTEN
   */
  listen(
    options: ListenOptions,
    answer: (request: ServeRequest, signal: AbortSignal) => Promise<ServeAnswer>,
    served: (served: Served) => void,
  ): Promise<Listening>;
}
