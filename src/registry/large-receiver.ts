import type { Socket } from 'node:net';
import { connectorFor } from './connector.ts';
import type { AnswerBody, HttpAnswer, HttpCall } from './http-call.ts';
import type { RegistryOptions } from './options.ts';
import { parseHead, type Head } from './response-head.ts';

/** Bytes received at once; all the memory that a large body takes on its way. */
const BUFFER = 256 * 1024;
const MAX_HEAD = 64 * 1024;
const NEW_LINES = Buffer.from('\r\n\r\n');

interface Limits {
  /** Milliseconds until the answer begins. */
  readonly answerWithin: number;
  /** Milliseconds between two pieces of it. */
  readonly stall: number;
}

/**
 * GETs of large bodies: each over a connection of its own, received into one buffer that is used again and again. New memory
 * for every 64 KiB, as every HTTP library here takes it, costs more time than hashing them (docs/decisions/0014).
 */
export class LargeReceiver {
  readonly #options: RegistryOptions;
  readonly #limits: Limits;
  readonly #open = new Set<Receiving>();
  /** Of transfers that came to their end: left to the collector they would pile up. */
  readonly #spare: Buffer[] = [];

  constructor(options: RegistryOptions, limits: Limits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** Undefined when the answer is framed in a way that is left to the HTTP library (RFC 9112 6): ask that one instead. */
  async get(call: HttpCall): Promise<HttpAnswer | undefined> {
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER);
    const receiving = new Receiving(buffer, this.#limits, call.signal, () => this.#open.delete(receiving));
    this.#open.add(receiving);
    try {
      await receiving.connect(this.#options, call.url);
      receiving.send(requestHead(call));
      const head = await receiving.head();
      if (head.length !== undefined) {
        const body = bodyOf(receiving, head.length, () => this.#spare.push(buffer));
        return { status: head.status, header: (name) => head.header(name), body };
      }
    } catch (error) {
      receiving.end();
      throw error;
    }
    receiving.end();
    return undefined;
  }

  /** Ends every transfer. */
  close(): void {
    for (const receiving of this.#open) receiving.end(broken('the client was closed'));
  }
}

function requestHead({ url, headers }: HttpCall): string {
  const lines = Object.entries({ host: url.host, 'user-agent': 'deliver', accept: '*/*', ...headers, connection: 'close' });
  const text = [`GET ${url.pathname}${url.search} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  if (text.some((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line))) throw new TypeError('a header holds what no header may hold');
  return `${text.join('\r\n')}\r\n\r\n`;
}

/** @param consumed called when nobody looks at the memory any more */
function bodyOf(receiving: Receiving, length: number, consumed: () => void): AnswerBody {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (let left = length; left > 0;) {
          const chunk = await receiving.next();
          const ours = chunk.subarray(0, left);
          left -= ours.byteLength;
          yield ours;
        }
        receiving.end();
        consumed();
      } finally {
        receiving.end();
      }
    },
    destroy: () => {
      receiving.end();
    },
    dump: async () => {
      receiving.end();
    },
  };
}

/** One connection; holds it back until the next chunk is asked for. */
class Receiving {
  readonly #buffer: Buffer;
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  readonly #ended: () => void;
  readonly #abort = (): void => {
    this.end(this.#signal?.reason);
  };
  #socket: Socket | undefined;
  #ready: Uint8Array | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #waiting: PromiseWithResolvers<Uint8Array> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(buffer: Buffer, limits: Limits, signal: AbortSignal | undefined, ended: () => void) {
    this.#buffer = buffer;
    this.#limits = limits;
    this.#signal = signal;
    this.#ended = ended;
  }

  async connect(options: RegistryOptions, url: URL): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    const buffer = this.#buffer;
    const connect = connectorFor(options, { buffer, callback: (count) => this.#received(buffer.subarray(0, count)) });
    const { protocol, hostname, host, port } = url;
    const opened = Promise.withResolvers<Socket>();
    connect({ protocol, hostname, host, port }, (error, socket) => {
      if (error === null) opened.resolve(socket);
      else opened.reject(error);
    });
    const socket = (this.#socket = await opened.promise);
    const closed = (): void => {
      this.end(broken('the connection was closed before the answer was whole'));
    };
    socket.on('error', (error) => {
      this.end(error);
    });
    socket.once('end', closed).once('close', closed);
    if (this.#failure !== undefined) socket.destroy();
  }

  send(text: string): void {
    this.#socket?.write(text, 'latin1');
  }

  /** The final head; what followed it in the same piece is the next chunk. */
  async head(): Promise<Head> {
    let seen = Buffer.alloc(0);
    let within = this.#limits.answerWithin;
    for (;;) {
      seen = Buffer.concat([seen, await this.next(within)]);
      within = this.#limits.stall;
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

  async next(within = this.#limits.stall): Promise<Uint8Array> {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready !== undefined) return ready;
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#waiting = Promise.withResolvers();
    this.#watch(within);
    this.#socket?.resume();
    return this.#waiting.promise;
  }

  /** @param reason thrown to whoever waits, now or later */
  end(reason: unknown = broken('the transfer was ended')): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#socket?.destroy();
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
    this.#ended();
  }

  /** @returns false: nothing more is received until someone asks */
  #received(chunk: Uint8Array): boolean {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#ready = chunk;
    else waiting.resolve(chunk);
    return false;
  }

  #watch(within: number): void {
    if (this.#timer !== undefined && within === this.#limits.stall) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A consumer that takes its time is no stall.
      if (this.#waiting !== undefined) this.end(broken(`nothing came for ${String(within / 1000)} s`, 'ETIMEDOUT'));
    }, within);
  }
}

function broken(message: string, code = 'UND_ERR_SOCKET'): Error {
  return Object.assign(new Error(message), { code });
}
