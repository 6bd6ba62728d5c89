import type { Socket } from 'node:net';
import { destinationOf, directConnect } from '../registry/direct-connect.ts';
import { requestHead } from '../registry/request-head.ts';
import { HeadReader, type Head } from '../registry/response-head.ts';

/** Bytes received at once; all the memory that a body takes on its way. */
const BUFFER = 256 * 1024;
const CONNECT_TIMEOUT = 15_000;
const STALL = 60_000;
/** Of a connection that nothing is asked of: less than servers and what stands before them keep it for. */
const IDLE = 4_000;

export interface Received {
  readonly head: Head;
  /** A chunk is good until the next one is asked for. Absent when it is framed in a way that is left to a library (RFC 9112 6). */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** GETs, each received into one buffer that is used again and again, over connections that are kept (docs/decisions/0014). */
export class Receiver {
  readonly #ca: string | undefined;
  readonly #stall: number;
  readonly #idle = new Map<string, Connection[]>();

  /**
   * @param ca PEM, trusted besides the usual ones
   * @param stall milliseconds until an answer begins, and between two pieces of it
   */
  constructor(ca: string | undefined, stall = STALL) {
    this.#ca = ca;
    this.#stall = stall;
  }

  async get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Received> {
    signal?.throwIfAborted();
    const idle = this.#idle.get(url.origin) ?? [];
    this.#idle.set(url.origin, idle);
    const connection = idle.pop() ?? new Connection(url, this.#ca, this.#stall);
    connection.begin(signal, () => {
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
    });
    try {
      connection.send(requestHead(url, headers));
      const head = await connection.head();
      if (head.length === undefined) {
        connection.end(broken('the answer is framed otherwise'));
        return { head };
      }
      const done = (): void => {
        if (head.isKept && connection.rest()) idle.push(connection);
        else connection.end(broken('the connection is done'));
      };
      return { head, body: bodyOf(connection, head.length, done) };
    } catch (error) {
      connection.end(error);
      throw error;
    }
  }
}

async function* bodyOf(connection: Connection, length: number, done: () => void): AsyncGenerator<Uint8Array> {
  let left = length;
  try {
    while (left > 0) {
      const chunk = await connection.next();
      if (chunk.byteLength > left) throw broken('more came than the answer has');
      left -= chunk.byteLength;
      yield chunk;
    }
    done();
  } finally {
    if (left > 0) connection.end(broken('the transfer was ended'));
  }
}

/** One connection; holds the sender back until the next chunk is asked for. */
class Connection {
  readonly #socket: Socket;
  readonly #abort = (): void => {
    this.end(this.#signal?.reason);
  };
  #signal: AbortSignal | undefined;
  #ended: () => void = () => undefined;
  /** Milliseconds of silence that are borne while something is awaited. */
  #patience = CONNECT_TIMEOUT;
  #isIdle = false;
  #ready: Uint8Array | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #waiting: PromiseWithResolvers<Uint8Array> | undefined;

  constructor(url: URL, ca: string | undefined, stall: number) {
    const to = destinationOf(url, ca);
    const buffer = Buffer.allocUnsafeSlow(BUFFER);
    const callback = (count: number): boolean => this.#received(buffer.subarray(0, count));
    this.#socket = directConnect(to, { buffer, callback });
    const closed = (): void => {
      this.end(broken('the connection was closed before the answer was whole'));
    };
    this.#socket
      .on('error', (error) => {
        this.end(error);
      })
      .on('timeout', () => {
        // A consumer that takes its time is no stall.
        const message = `nothing came for ${String(this.#patience / 1000)} s`;
        if (this.#isIdle || this.#waiting !== undefined) this.end(broken(message, 'ETIMEDOUT'));
      })
      .once(to.secureName === undefined ? 'connect' : 'secureConnect', () => {
        this.#patience = stall;
        if (this.#waiting !== undefined) this.#socket.setTimeout(stall);
      })
      .once('end', closed)
      .once('close', closed);
  }

  /** @param ended called when it can't be used any more */
  begin(signal: AbortSignal | undefined, ended: () => void): void {
    this.#signal = signal;
    this.#ended = ended;
    this.#isIdle = false;
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#socket.ref();
  }

  /** Nothing is asked of it now; it does not keep the process alive. @returns false when it can't be used again */
  rest(): boolean {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#signal = undefined;
    this.#isIdle = true;
    this.#socket.setTimeout(IDLE).unref().resume();
    return this.#failure === undefined && this.#ready === undefined;
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** The final head; what followed it in the same piece is the next chunk. */
  async head(): Promise<Head> {
    for (const reader = new HeadReader(); ;) {
      const found = reader.add(await this.next());
      if (found === undefined) continue;
      if (found.rest.length > 0) this.#ready = found.rest;
      return found.head;
    }
  }

  async next(): Promise<Uint8Array> {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready !== undefined) return ready;
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#waiting = Promise.withResolvers();
    // Anew each time: it ran out without effect while the consumer took longer.
    this.#socket.setTimeout(this.#patience).resume();
    return this.#waiting.promise;
  }

  /** @param reason thrown to whoever waits, now or later */
  end(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#socket.destroy();
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
    this.#ended();
  }

  /** @returns false: nothing more is received until someone asks */
  #received(chunk: Uint8Array): boolean {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting.resolve(chunk);
    else if (this.#ready === undefined && !this.#isIdle) this.#ready = chunk;
    else this.end(broken('something came that nobody asked for'));
    return false;
  }
}

/** What has such a code is tried again. */
function broken(message: string, code = 'ECONNRESET'): Error {
  return Object.assign(new Error(message), { code });
}
