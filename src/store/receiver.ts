import type { Socket } from 'node:net';
import { directConnect } from '../registry/direct-connect.ts';
import { parseHead, type Head } from '../registry/response-head.ts';

/** Bytes received at once; all the memory that a body takes on its way. */
const BUFFER = 256 * 1024;
const MAX_HEAD = 64 * 1024;
const NEW_LINES = Buffer.from('\r\n\r\n');
const CONNECT_TIMEOUT = 15_000;
/** Milliseconds until the answer begins, and between two pieces of it. */
const STALL = 60_000;

export interface Received {
  readonly head: Head;
  /** A chunk is good until the next one is asked for. Absent when it is framed in a way that is left to a library (RFC 9112 6). */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** GETs, each received into one buffer that is used again and again, over connections that are kept (docs/decisions/0014). */
export class Receiver {
  readonly #ca: string | undefined;
  readonly #idle = new Map<string, Connection[]>();

  constructor(ca: string | undefined) {
    this.#ca = ca;
  }

  async get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Received> {
    signal?.throwIfAborted();
    const idle = this.#idle.get(url.origin) ?? [];
    this.#idle.set(url.origin, idle);
    const connection = idle.pop() ?? new Connection(url, this.#ca);
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

function requestHead(url: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  const text = [`GET ${url.pathname}${url.search} HTTP/1.1`, ...lines];
  if (text.some((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line))) throw new TypeError('a header holds what no header may hold');
  return `${text.join('\r\n')}\r\n\r\n`;
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
  #ready: Uint8Array | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #waiting: PromiseWithResolvers<Uint8Array> | undefined;

  constructor(url: URL, ca: string | undefined) {
    const isSecure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(url.port === '' ? (isSecure ? 443 : 80) : url.port);
    const buffer = Buffer.allocUnsafeSlow(BUFFER);
    const callback = (count: number): boolean => this.#received(buffer.subarray(0, count));
    const secure = isSecure ? { secureName: host } : {};
    const trusted = ca === undefined ? {} : { ca };
    this.#socket = directConnect({ host, port, ...secure, ...trusted }, { buffer, callback });
    const closed = (): void => {
      this.end(broken('the connection was closed before the answer was whole'));
    };
    this.#socket
      .on('error', (error) => {
        this.end(error);
      })
      .on('timeout', () => {
        // A consumer that takes its time is no stall.
        const seconds = String((this.#socket.timeout ?? 0) / 1000);
        if (this.#waiting !== undefined) this.end(broken(`nothing came for ${seconds} s`, 'ETIMEDOUT'));
      })
      .once(isSecure ? 'secureConnect' : 'connect', () => {
        this.#socket.setTimeout(STALL);
      })
      .once('end', closed)
      .once('close', closed)
      .setTimeout(CONNECT_TIMEOUT);
  }

  /** @param ended called when it can't be used any more */
  begin(signal: AbortSignal | undefined, ended: () => void): void {
    this.#signal = signal;
    this.#ended = ended;
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#socket.ref();
  }

  /** Nothing is asked of it now; it does not keep the process alive. @returns false when it can't be used again */
  rest(): boolean {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#signal = undefined;
    this.#socket.unref().resume();
    return this.#failure === undefined && this.#ready === undefined;
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** The final head; what followed it in the same piece is the next chunk. */
  async head(): Promise<Head> {
    for (let seen = Buffer.alloc(0); ;) {
      seen = Buffer.concat([seen, await this.next()]);
      for (let end = seen.indexOf(NEW_LINES); end >= 0; end = seen.indexOf(NEW_LINES)) {
        const head = parseHead(seen.toString('latin1', 0, end));
        seen = seen.subarray(end + NEW_LINES.length);
        // 1xx come before the answer (RFC 9110 15.2).
        if (head.status < 200) continue;
        if (seen.length > 0) this.#ready = seen;
        return head;
      }
      if (seen.length > MAX_HEAD) throw broken('the head of the answer has no end');
    }
  }

  async next(): Promise<Uint8Array> {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready !== undefined) return ready;
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#waiting = Promise.withResolvers();
    this.#socket.resume();
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
    else if (this.#ready === undefined) this.#ready = chunk;
    else this.end(broken('something came that nobody asked for'));
    return false;
  }
}

/** What has such a code is tried again. */
function broken(message: string, code = 'ECONNRESET'): Error {
  return Object.assign(new Error(message), { code });
}
