import { createHash, type Hash } from 'node:crypto';
import { bytesOfText, bytesText } from '../core/amounts.ts';
import { contentRange, unsatisfiedTotal } from '../core/content-range.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import { behind, resumed, type Resuming } from '../core/resumed.ts';
import { validatorOf, type Validator } from './validator.ts';

/** An answer to a GET of a file. */
export interface FileAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Absent for 416. A chunk is good until the next one is asked for. */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** Where to go on, and what must be as it was. */
export interface Rest {
  readonly offset: number;
  readonly validator: Validator;
}

interface FileWay extends Omit<Resuming, 'from'> {
  /** For messages. */
  readonly name: string;
  /** The whole as 200; with a rest also 206 and 416. What it throws is final. */
  ask(rest?: Rest): Promise<FileAnswer>;
  /** Frees the connection of an answer that is not wanted. */
  discard(body: AsyncIterable<Uint8Array>): Promise<void>;
}

/** A file whose transfer goes on where it broke, as long as the server says, or its bytes prove, that it is still the same. */
export async function openResumed(way: FileWay): Promise<AsyncIterable<Uint8Array>> {
  return new ResumedFile(way).bytes(await way.ask());
}

/** What came is not what was asked for; another try may bring it. */
class WrongAnswer extends Error {}

class ResumedFile {
  readonly #way: FileWay;
  #validator: Validator | undefined;
  /** Of what came, where nothing else tells whether the file is still the same. */
  #hash: Hash | undefined;
  /** Bytes of the whole, as soon as a server says. */
  #size: number | undefined;
  #received = 0;

  constructor(way: FileWay) {
    this.#way = way;
  }

  bytes(first: FileAnswer): AsyncIterable<Uint8Array> {
    return resumed(this.#fromStart(first), {
      ...this.#way,
      from: (offset) =>
        this.#from(offset).catch(async (error: unknown) => {
          throw await this.#explained(error);
        }),
      isPassing: (error) => error instanceof WrongAnswer || this.#way.isPassing(error),
      explained: (error) => this.#explained(error),
    });
  }

  #fromStart(answer: FileAnswer): AsyncIterable<Uint8Array> {
    this.#validator = validatorOf(answer);
    this.#hash = this.#validator === undefined ? createHash('sha256') : undefined;
    this.#size = lengthOf(answer);
    return this.#counted(answer.body ?? nothing());
  }

  async #from(offset: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (offset === 0) return this.#fromStart(await this.#way.ask());
    if (offset === this.#size) return undefined;
    const answer = await this.#way.ask(this.#validator === undefined ? undefined : { offset, validator: this.#validator });
    const isEnd =
      answer.status === 416 && this.#size === undefined && offset === unsatisfiedTotal(answer.header('content-range'));
    return isEnd ? undefined : this.#counted(this.#rest(answer, offset));
  }

  /** The bytes from `offset` on. @throws DeliverError E_SOURCE when they are of another file */
  async *#rest(answer: FileAnswer, offset: number): AsyncGenerator<Uint8Array> {
    const body = answer.body ?? nothing();
    let skip;
    try {
      this.#refuseOther(answer);
      skip = offset - this.#startOf(answer, offset);
    } catch (error) {
      await this.#way.discard(body);
      throw error;
    }
    yield* this.#hash === undefined ? behind(body, skip) : this.#proven(body, skip, this.#hash);
  }

  /** @throws DeliverError E_SOURCE when it is not of the file that was begun */
  #refuseOther(answer: FileAnswer): void {
    const { status } = answer;
    const is = this.#validator === undefined ? undefined : answer.header(this.#validator.name);
    // An answer that is no 200 need not repeat what it was made to depend on (RFC 9110 15.3.7).
    if (
      this.#validator !== undefined &&
      is !== this.#validator.text &&
      (status === 200 || (is !== undefined && status === 206))
    ) {
      const { title, text } = this.#validator;
      throw changed(this.#way.name, `Its ${title} was ${text}, and is ${is ?? 'not told any more'}.`);
    }
    const range = contentRange(answer.header('content-range'));
    const size = status === 200 ? lengthOf(answer) : (range?.total ?? unsatisfiedTotal(answer.header('content-range')));
    if (size !== undefined && size !== (this.#size ?? size)) {
      throw changed(this.#way.name, `It had ${String(this.#size)} bytes, and has ${String(size)}.`);
    }
    if (size !== undefined && size < this.#received) {
      throw changed(this.#way.name, `${String(this.#received)} bytes of it had come, and it has ${String(size)}.`);
    }
    this.#size ??= size;
  }

  /** Offset of the first byte of an answer. */
  #startOf(answer: FileAnswer, wanted: number): number {
    if (answer.status === 200) return 0;
    const text = answer.header('content-range');
    const range = contentRange(text);
    const length = lengthOf(answer);
    const fits = range !== undefined && range.start <= wanted && range.end - range.start === (length ?? range.end - range.start);
    if (answer.status === 206 && fits && range.end <= (this.#size ?? range.end)) return range.start;
    const got = answer.status === 206 ? (text ?? 'a part without Content-Range') : String(answer.status);
    throw new WrongAnswer(`The server was asked for bytes from ${String(wanted)} on, and answered ${got}.`);
  }

  /** Without what came before, which has to be the same bytes. */
  async *#proven(body: AsyncIterable<Uint8Array>, skip: number, hash: Hash): AsyncGenerator<Uint8Array> {
    const before = hash.copy().digest('hex');
    const again = createHash('sha256');
    let left = skip;
    for await (const chunk of body) {
      const known = chunk.subarray(0, left);
      if (left > 0) {
        again.update(known);
        left -= known.byteLength;
        if (left === 0 && again.copy().digest('hex') !== before) throw this.#otherBytes(skip);
      }
      if (known.byteLength < chunk.byteLength) yield chunk.subarray(known.byteLength);
    }
    if (left > 0) throw changed(this.#way.name, `${String(skip)} bytes of it had come, and it has ${String(skip - left)}.`);
  }

  #otherBytes(count: number): DeliverError {
    return changed(this.#way.name, `Its first ${String(count)} bytes are others than before.`);
  }

  /** No more than the file has; an end before that is a break. */
  async *#counted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      if (this.#received + chunk.byteLength > (this.#size ?? Infinity)) throw new WrongAnswer('More came than the file has.');
      this.#received += chunk.byteLength;
      this.#hash?.update(chunk);
      yield chunk;
    }
    if (this.#received < (this.#size ?? 0)) throw new WrongAnswer('The answer ended before the file did.');
  }

  /** @returns also how far it came */
  async #explained(error: unknown): Promise<unknown> {
    const told = await this.#way.explained(error);
    if (!isDeliverError(told) || this.#received === 0 || told.facts.state !== undefined) return told;
    const had = this.#size === undefined ? bytesText(this.#received) : bytesOfText(this.#received, this.#size);
    return told.with({ state: `${had} of it had come; the next run takes it from its beginning.` });
  }
}

/** The error for a file that is not the one any more of which a part has come. */
export function changed(name: string, why: string): DeliverError {
  return new DeliverError('E_SOURCE', {
    what: `${name} was replaced while it was being read.`,
    why,
    fix: 'Run the same command again. If the lock names what it was before, run deliver resolve and review the lock.',
  });
}

function lengthOf(answer: FileAnswer): number | undefined {
  const text = answer.header('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // Nothing comes.
}
