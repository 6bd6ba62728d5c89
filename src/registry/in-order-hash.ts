import type { FilePlace } from '../core/file-transfer.ts';
import type { TransferThread } from './transfer-threads.ts';

/** Bytes that a thread hashes at one go; its connections wait meanwhile. */
const GO = 8 * 1024 * 1024;

let numbers = 0;

/** The hash of a blob that arrives in ranges: on the way what comes in its turn, from the file what came before its turn. */
export class InOrderHash {
  /** For the thread. */
  readonly number = numbers++;
  readonly #thread: TransferThread;
  readonly #place: FilePlace;
  readonly #written: { readonly from: number; readonly end: number }[] = [];
  #hashed = 0;
  /** Something was written where something else was hashed: a source need not send the same twice. */
  #isOverwritten = false;
  /** Somebody is adding to it. */
  #busy = false;
  #catchingUp: Promise<void> = Promise.resolve();

  constructor(thread: TransferThread, place: FilePlace) {
    this.#thread = thread;
    this.#place = place;
  }

  /** Whether bytes from here on may be hashed on their way, on this thread; the caller tells `wrote` in any case. */
  claim(at: number): boolean {
    if (this.#busy || at !== this.#hashed) return false;
    this.#busy = true;
    return true;
  }

  /** @param claimed they were hashed on their way */
  wrote(from: number, end: number, claimed: boolean): void {
    this.#isOverwritten ||= claimed
      ? this.#written.some((range) => range.from < end && range.end > from)
      : end > from && from < this.#hashed;
    if (claimed) {
      this.#hashed = end;
      this.#busy = false;
    } else if (end > from) {
      this.#written.push({ from, end });
    }
    // One after another: what is being hashed from the file must be awaited too.
    this.#catchingUp = this.#catchingUp.then(() => this.#catchUp());
    this.#catchingUp.catch(() => undefined);
  }

  async content(): Promise<{ readonly size: number; readonly digest: string }> {
    await this.#catchingUp;
    await this.#catchUp();
    if (this.#isOverwritten) return this.#fromFile();
    return { size: this.#hashed, digest: await this.#thread.ask({ kind: 'digest', hash: this.number }) };
  }

  /** What is in the file now, hashed anew. */
  async #fromFile(): Promise<{ readonly size: number; readonly digest: string }> {
    const again = new InOrderHash(this.#thread, this.#place);
    again.wrote(0, this.#hashed, false);
    const [content] = await Promise.all([again.content(), this.#thread.ask({ kind: 'digest', hash: this.number })]);
    return content;
  }

  async #catchUp(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        const size = Math.min(GO, next.end - this.#hashed);
        const { descriptor, offset } = this.#place;
        await this.#thread.ask({ kind: 'read-back', hash: this.number, descriptor, offset: offset + this.#hashed, size });
        this.#hashed += size;
      }
    } finally {
      this.#busy = false;
    }
  }

  #next(): { readonly end: number } | undefined {
    return this.#written.find(({ from, end }) => from <= this.#hashed && end > this.#hashed);
  }
}
