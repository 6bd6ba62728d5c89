import { contentRange } from '../core/content-range.ts';
import { wrongSize, type Digest } from '../core/digest.ts';
import type { FilePlace, FileTransfer, Piece } from '../core/file-transfer.ts';
import { ALL_TRIES, BARREN_TRIES } from '../core/resumed.ts';
import type { HeldBody, HttpAnswer } from './http-call.ts';
import { HttpProblem } from './http-problem.ts';
import { InOrderHash } from './in-order-hash.ts';
import { Broken } from './remote-body.ts';
import { isPassing } from './retry.ts';
import { scopeOf } from './scopes.ts';
import type { Session } from './session.ts';
import type { TransferThread } from './transfer-threads.ts';

interface Wanted {
  readonly repository: string;
  readonly digest: Digest;
  readonly size: number;
}

interface Range {
  readonly from: number;
  end: number;
  /** Refused unless exactly this range comes. */
  readonly strict: boolean;
  body?: HeldBody;
}

/**
 * Asks for a blob that threads receive, each answer over a connection of its own.
 * @returns undefined where no thread can: a proxy or tunnel is in between, or the answer is framed otherwise
 * @throws DeliverError E_SOURCE*
 */
export async function openTransfer(
  session: Session,
  blob: Wanted,
  place: FilePlace,
  signal: AbortSignal,
): Promise<FileTransfer | undefined> {
  if (!session.isDirect) return undefined;
  const transfer = new BlobTransfer(session, blob, place, signal);
  return (await transfer.begin()) ? transfer : undefined;
}

class BlobTransfer implements FileTransfer {
  readonly #session: Session;
  readonly #blob: Wanted;
  readonly #place: FilePlace;
  readonly #signal: AbortSignal;
  readonly #home: TransferThread;
  readonly #hash: InOrderHash;
  #first: HttpAnswer | undefined;

  constructor(session: Session, blob: Wanted, place: FilePlace, signal: AbortSignal) {
    this.#session = session;
    this.#blob = blob;
    this.#place = place;
    this.#signal = signal;
    this.#home = session.threads.take();
    this.#hash = new InOrderHash(this.#home, place);
  }

  async begin(): Promise<boolean> {
    this.#first = await this.#explained(() => this.#ask(this.#home, { from: 0, end: this.#blob.size, strict: false }, 0));
    if (this.#first.remote === undefined) this.#first.body.destroy();
    return this.#first.remote !== undefined;
  }

  whole(onBytes: (count: number) => void): Piece {
    return this.#piece({ from: 0, end: this.#blob.size, strict: false }, onBytes);
  }

  rest(from: number, end: number, onBytes: (count: number) => void): Piece {
    return this.#piece({ from, end, strict: false }, onBytes);
  }

  range(from: number, end: number, onBytes: (count: number) => void): Piece {
    return this.#piece({ from, end, strict: true }, onBytes);
  }

  content(): Promise<{ readonly size: number; readonly digest: string }> {
    return this.#hash.content();
  }

  #piece(range: Range, onBytes: (count: number) => void): Piece {
    const agreed = Promise.withResolvers<boolean>();
    const done = this.#explained(() => this.#receive(range, agreed.resolve, onBytes));
    // Whoever awaits one of them need not await the other.
    done.catch(agreed.reject);
    agreed.promise.catch(() => undefined);
    return {
      agreed: agreed.promise,
      done,
      shorten: (end) => {
        range.end = Math.min(range.end, end);
        range.body?.shorten(range.end);
      },
    };
  }

  /** A connection that breaks is taken up again where it broke (Range, RFC 9110 14). */
  async #receive(range: Range, agree: (agreed: boolean) => void, onBytes: (count: number) => void): Promise<number> {
    let at = range.from;
    let barren = 0;
    for (let tries = 1; at < range.end; tries++) {
      const inOrder = this.#hash.claim(at);
      const before = at;
      let answer: HttpAnswer | undefined;
      try {
        answer = await this.#answer(inOrder ? this.#home : this.#session.threads.take(), range, at);
        const start = this.#startOf(answer, range, at);
        agree(start !== undefined);
        if (start === undefined || answer.remote === undefined) return at;
        range.body = answer.remote.body;
        const order = { place: this.#place, start, from: at, end: range.end, ...(inOrder ? { hash: this.#hash.number } : {}) };
        at = await answer.remote.body.place(order, onBytes);
        return at;
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        at = Math.max(at, error.reached);
        barren = at > before ? 0 : barren + 1;
        const final = error.disk || barren >= BARREN_TRIES || tries >= ALL_TRIES || !isPassing(error.cause);
        if (final || this.#signal.aborted) throw error.cause;
      } finally {
        delete range.body;
        answer?.body.destroy();
        this.#hash.wrote(before, at, inOrder);
      }
    }
    return at;
  }

  async #answer(thread: TransferThread, range: Range, at: number): Promise<HttpAnswer> {
    const first = at === 0 ? this.#first : undefined;
    this.#first = undefined;
    return first ?? this.#ask(thread, range, at);
  }

  #ask(thread: TransferThread, { end, strict }: Range, at: number): Promise<HttpAnswer> {
    const { repository, digest, size } = this.#blob;
    const last = end < size ? String(end - 1) : '';
    const plain = at === 0 && !strict;
    return this.#session.call({
      method: 'GET',
      path: `/v2/${repository}/blobs/${digest}`,
      headers: plain ? {} : { range: `bytes=${String(at)}-${last}` },
      scopes: [scopeOf(repository, this.#session.options.role)],
      accept: plain ? [200] : [200, 206, 416],
      signal: this.#signal,
      thread,
    });
  }

  /** Offset in the blob at which the body begins; undefined when there is none to be had. @throws when it is of another blob */
  #startOf(answer: HttpAnswer, { end, strict }: Range, at: number): number | undefined {
    const { size } = this.#blob;
    if (answer.status === 416) return undefined;
    if (answer.remote === undefined && strict) return undefined;
    if (answer.remote === undefined) throw misframed();
    const { length } = answer.remote;
    if (answer.status === 200) {
      if (strict) return undefined;
      if (length > size) throw wrongSize(this.#blob, String(length), this.#blob.digest);
      return 0;
    }
    const got = contentRange(answer.header('content-range'));
    if (strict) {
      const exact = got?.start === at && got.end >= end && got.end - got.start === length && (got.total ?? size) === size;
      return exact ? at : undefined;
    }
    if (got !== undefined && (got.start > at || (got.total ?? size) !== size))
      throw new HttpProblem(502, {
        code: '',
        text: `asked for bytes from ${String(at)}, got ${answer.header('content-range') ?? ''}`,
      });
    return got?.start ?? at;
  }

  #explained<T>(work: () => Promise<T>): Promise<T> {
    const { digest, repository } = this.#blob;
    return this.#session.explained(`read blob ${digest} of ${repository}`, this.#signal, work);
  }
}

function misframed(): HttpProblem {
  return new HttpProblem(502, { code: '', text: 'asked again, it answers without saying how long the answer is' });
}
