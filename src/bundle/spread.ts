import type { FileTransfer, Piece } from '../core/file-transfer.ts';
import type { Lanes } from './lanes.ts';

const MIB = 1024 * 1024;
/** Bytes of a range that another lane asks for. */
const LEAST = MIB;
const MOST = 64 * MIB;
/** Milliseconds that a range should take at least: to ask for it takes a while too. And that all lanes wait for the last one. */
const MOMENT = 250;
/** Bytes that are range enough, whatever they take; where less than this is left, nobody helps. */
const ENOUGH = 4 * MIB;

interface Range {
  readonly from: number;
  readonly end: number;
}

/**
 * One blob on its way: over one connection at first; lanes that have nothing else to do may take ranges of what is left. The
 * first connection is cut short only when the source has agreed to send a range.
 */
export class Spread {
  readonly #transfer: FileTransfer;
  readonly #size: number;
  readonly #lanes: Lanes;
  readonly #onBytes: (count: number) => void;
  /** Begun by `help`; none fails unheard. */
  readonly #helpers = new Set<Promise<unknown>>();
  /** Agreed to and then not sent. */
  readonly #owed: Range[] = [];
  #whole: Piece | undefined;
  /** Where the first connection is, and where it is to stop. */
  #at = 0;
  #stop: number;
  /** Nobody has asked for what lies beyond. */
  #frontier: number;
  #isWholeDone = false;
  #isProbing = false;
  #knowsRanges = true;

  constructor(transfer: FileTransfer, size: number, lanes: Lanes, onBytes: (count: number) => void) {
    this.#transfer = transfer;
    this.#size = size;
    this.#lanes = lanes;
    this.#onBytes = onBytes;
    this.#stop = this.#frontier = size;
  }

  /** Bytes that another lane could take a share of. */
  get shareable(): number {
    if (!this.#knowsRanges || this.#isProbing || this.#whole === undefined) return 0;
    if (this.#frontier < this.#size) return this.#size - this.#frontier;
    const left = this.#stop === this.#size ? this.#size - this.#at : 0;
    return left >= Math.max(ENOUGH, 2 * this.#least()) ? left : 0;
  }

  /** Brings all of it. @returns what was written without a gap */
  async run(): Promise<{ readonly size: number; readonly digest: string }> {
    this.#whole = this.#transfer.whole((count) => {
      this.#at += count;
      this.#onBytes(count);
    });
    const reached = await this.#inUse(this.#whole.done);
    this.#isWholeDone = true;
    // What came before it heard where to stop comes a second time.
    if (reached > this.#stop) this.#onBytes(this.#stop - reached);
    // A source that has no more is asked for nothing more.
    const hasMore = reached >= this.#stop;
    if (hasMore) await this.#bringRest();
    await Promise.all(this.#helpers);
    if (hasMore) await this.#bringRest();
    return this.#transfer.content();
  }

  /** Brings a share of it. */
  async help(): Promise<void> {
    const work = this.#frontier < this.#size ? this.#bringShare() : this.#split();
    // Both hear of a failure: the lane that helps, and the one that waits for the blob to be whole.
    this.#helpers.add(work);
    work.catch(() => undefined);
    await work;
    this.#helpers.delete(work);
  }

  async #split(): Promise<void> {
    this.#isProbing = true;
    const from = this.#at + this.#share(this.#size - this.#at);
    const range = { from, end: Math.min(this.#size, from + this.#share(this.#size - from)) };
    const piece = this.#transfer.range(range.from, range.end, this.#onBytes);
    this.#knowsRanges = await piece.agreed;
    this.#isProbing = false;
    if (!this.#knowsRanges) return;
    if (this.#isWholeDone) {
      piece.shorten(range.from);
      this.#onBytes(range.from - (await piece.done));
      return;
    }
    this.#stop = range.from;
    this.#frontier = range.end;
    this.#whole?.shorten(range.from);
    // The rest is free to be taken by others.
    this.#lanes.tellChange();
    await this.#received(piece, range);
  }

  async #bringShare(): Promise<void> {
    const range = this.#next();
    const piece = this.#transfer.range(range.from, range.end, this.#onBytes);
    if (await piece.agreed) await this.#received(piece, range);
    else {
      this.#knowsRanges = false;
      this.#owed.push(range);
    }
  }

  async #received(piece: Piece, { end }: Range): Promise<void> {
    const reached = await this.#inUse(piece.done);
    if (reached < end) this.#owed.push({ from: reached, end });
  }

  async #inUse(done: Promise<number>): Promise<number> {
    const over = this.#lanes.began();
    return done.finally(over);
  }

  async #bringRest(): Promise<void> {
    while (this.#owed.length > 0 || this.#frontier < this.#size) {
      const range = this.#owed.shift() ?? this.#next();
      const reached = await this.#inUse(this.#transfer.rest(range.from, range.end, this.#onBytes).done);
      if (reached < range.end) return;
    }
  }

  #next(): Range {
    const from = this.#frontier;
    this.#frontier = Math.min(this.#size, from + this.#share(this.#size - from));
    return { from, end: this.#frontier };
  }

  /** Smaller towards the end, so that all lanes come to it together. */
  #share(left: number): number {
    return Math.min(MOST, Math.max(this.#least(), Math.ceil(left / (2 * this.#lanes.count))));
  }

  #least(): number {
    return Math.min(ENOUGH, Math.max(LEAST, Math.ceil(this.#lanes.bytesIn(MOMENT))));
  }
}
