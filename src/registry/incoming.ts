import type { Hash } from 'node:crypto';
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { messageOf, systemCode } from '../core/errors.ts';
import { directConnect } from './direct-connect.ts';
import { HeadReader, type Head } from './response-head.ts';
import type { PlaceOrder, TransferJob, TransferWord } from './transfer-words.ts';

const CONNECT_TIMEOUT = 15_000;
/** Bytes kept of an answer that is no content. */
const MAX_PROBLEM = 256 * 1024;
/** Bytes and milliseconds after which a word about the progress is due. */
const STEP = 4 * 1024 * 1024;
const MOMENT = 100;

/** A word without the number of the connection. */
export type Said = TransferWord extends infer Word ? (Word extends TransferWord ? Omit<Word, 'id'> : never) : never;

interface Placing {
  readonly order: PlaceOrder;
  readonly hash: Hash | undefined;
  end: number;
}

/** One GET on a connection of its own, received into one buffer; its body waits until it is told where to go. Runs on a thread. */
export class Incoming {
  readonly #socket: Socket;
  readonly #job: Extract<TransferJob, { kind: 'get' }>;
  readonly #say: (said: Said) => void;
  readonly #ended: (clean: boolean) => void;
  #timer: NodeJS.Timeout | undefined;
  #head: HeadReader | undefined = new HeadReader();
  /** The body of an answer that is no content. */
  #problem: { readonly chunks: Buffer[]; size: number; readonly tell: (body: Buffer) => void } | undefined;
  /** What came behind the head. */
  #early: Buffer | undefined;
  #placing: Placing | undefined;
  /** Of the body. */
  #left = 0;
  #position = 0;
  #untold = 0;
  #toldAt = 0;
  #over = false;

  /** @param ended called once; `clean`: the transfer came to its end, and nobody looks at the buffer any more */
  constructor(
    job: Extract<TransferJob, { kind: 'get' }>,
    buffer: Buffer,
    say: (said: Said) => void,
    ended: (clean: boolean) => void,
  ) {
    this.#job = job;
    this.#say = say;
    this.#ended = ended;
    this.#timer = this.#watch(CONNECT_TIMEOUT, 'UND_ERR_CONNECT_TIMEOUT');
    this.#socket = directConnect(job.to, { buffer, callback: (count) => this.#received(buffer.subarray(0, count)) });
    const closed = (): void => {
      this.#closed();
    };
    this.#socket
      .on('error', (error) => {
        this.#fail(error);
      })
      .once(job.to.secureName === undefined ? 'connect' : 'secureConnect', () => {
        this.#timer = this.#watch(job.limits.answerWithin);
      })
      .once('end', closed)
      .once('close', closed);
    this.#socket.write(job.head, 'latin1');
  }

  place(order: PlaceOrder, hash: Hash | undefined): void {
    this.#placing = { order, hash, end: order.end };
    this.#position = order.start;
    this.#toldAt = performance.now();
    this.#timer = this.#watch(this.#job.limits.stall);
    const early = this.#early ?? Buffer.alloc(0);
    this.#early = undefined;
    if (this.#write(early)) this.#socket.resume();
  }

  shorten(end: number): void {
    if (this.#placing === undefined) return;
    this.#placing.end = Math.min(this.#placing.end, end);
    this.#finishIfDone();
  }

  drop(): void {
    this.#fail(broken('the transfer was ended'));
  }

  /** @returns false: nothing more is received until someone asks */
  #received(chunk: Buffer): boolean {
    if (this.#over) return false;
    const isHeld = this.#head === undefined && this.#problem === undefined && this.#placing === undefined;
    if (!isHeld) this.#timer?.refresh();
    if (this.#head !== undefined) return this.#headPart(this.#head, chunk);
    if (this.#problem !== undefined) return this.#problemPart(this.#problem, chunk);
    if (this.#placing !== undefined) return this.#write(chunk);
    this.#early = Buffer.concat([this.#early ?? Buffer.alloc(0), chunk]);
    return false;
  }

  #headPart(reader: HeadReader, chunk: Buffer): boolean {
    try {
      const found = reader.add(chunk);
      if (found === undefined) return true;
      this.#head = undefined;
      return this.#answered(found.head, found.rest);
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #answered({ status, headers, length }: Head, rest: Buffer): boolean {
    const head = { kind: 'head', status, headers, length } as const;
    if (status === 200 || status === 206) {
      clearTimeout(this.#timer);
      this.#left = length ?? 0;
      this.#early = rest;
      this.#say(head);
      if (length === undefined) this.#end();
      return false;
    }
    this.#left = Math.min(length ?? MAX_PROBLEM, MAX_PROBLEM);
    const tell = (body: Buffer): void => {
      this.#say({ ...head, body });
      this.#end();
    };
    this.#problem = { chunks: [], size: 0, tell };
    return this.#problemPart(this.#problem, rest);
  }

  #problemPart(
    problem: { readonly chunks: Buffer[]; size: number; readonly tell: (body: Buffer) => void },
    chunk: Buffer,
  ): boolean {
    problem.chunks.push(Buffer.from(chunk));
    problem.size += chunk.length;
    if (problem.size < this.#left) return true;
    problem.tell(Buffer.concat(problem.chunks));
    return false;
  }

  #write(chunk: Buffer): boolean {
    const placing = this.#placing;
    if (placing === undefined) return false;
    const { order, hash, end } = placing;
    const body = chunk.subarray(0, this.#left);
    const skipped = Math.max(0, Math.min(body.length, order.from - this.#position));
    const bytes = body.subarray(skipped, Math.max(skipped, end - this.#position));
    this.#left -= body.length;
    this.#position += skipped;
    try {
      const at = order.place.offset + this.#position;
      hash?.update(bytes);
      for (let done = 0; done < bytes.length;) {
        done += writeSync(order.place.descriptor, bytes, done, bytes.length - done, at + done);
      }
    } catch (error) {
      this.#fail(error, true);
      return false;
    }
    this.#position += bytes.length;
    this.#untold += bytes.length;
    if (this.#untold >= STEP || performance.now() - this.#toldAt > MOMENT) this.#tell();
    return !this.#finishIfDone();
  }

  #finishIfDone(): boolean {
    if (this.#over || this.#placing === undefined) return this.#over;
    if (this.#left > 0 && this.#position < this.#placing.end) return false;
    this.#tell();
    this.#say({ kind: 'placed', reached: this.#position });
    this.#end(true);
    return true;
  }

  #tell(): void {
    if (this.#untold > 0) this.#say({ kind: 'progress', count: this.#untold });
    this.#untold = 0;
    this.#toldAt = performance.now();
  }

  #closed(): void {
    if (this.#over) return;
    if (this.#problem === undefined) this.#fail(broken('the connection was closed before the answer was whole'));
    else this.#problem.tell(Buffer.concat(this.#problem.chunks));
  }

  #fail(error: unknown, disk = false): void {
    if (this.#over) return;
    this.#tell();
    const reached = Math.max(this.#position, this.#placing?.order.from ?? 0);
    this.#say({ kind: 'failed', reached, message: messageOf(error), code: systemCode(error), disk });
    this.#end();
  }

  #end(clean = false): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#ended(clean);
  }

  #watch(milliseconds: number, code = 'ETIMEDOUT'): NodeJS.Timeout {
    clearTimeout(this.#timer);
    return setTimeout(() => {
      this.#fail(broken(`nothing came for ${String(milliseconds / 1000)} s`, code));
    }, milliseconds);
  }
}

function broken(message: string, code = 'UND_ERR_SOCKET'): Error {
  return Object.assign(new Error(message), { code });
}
