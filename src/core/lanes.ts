/** Milliseconds over which a rate is measured; as long again passes after every change before anything counts. */
const WINDOW = 300;
/** Bytes per second of one transfer above which the other side or this machine is the limit, not the way between them. */
const FAST = 25e6;
/** Of the rate that twice the lanes would bring at best, what they must bring to be kept. */
const WORTH_IT = 0.4;
/** Milliseconds until a growth that brought nothing is tried again. */
const TRY_AGAIN = 30_000;

interface Measured {
  readonly count: number;
  /** Bytes per second of all lanes together. */
  readonly rate: number;
}

/**
 * How many transfers run at once. It starts with a few; where each of them is slow it doubles, as long as more lanes bring more:
 * a long way with a limit per connection is filled, a fast one is left alone.
 */
export class Lanes {
  readonly most: number;
  #count: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #now: () => number;
  #bytes = 0;
  #since: number;
  /** Before the last growth, until that has been judged. */
  #before: Measured | undefined;
  #settledUntil = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(first: number, most: number, now: () => number = () => performance.now()) {
    this.#count = first;
    this.most = Math.max(first, most);
    this.#now = now;
    this.#since = now();
  }

  get count(): number {
    return this.#count;
  }

  /** Waits for a free lane, in turn. @throws what the signal was aborted with */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.#count && this.#waiting.length === 0) {
      this.#taken++;
      return;
    }
    const lane = Promise.withResolvers<undefined>();
    const go = (): void => {
      lane.resolve(undefined);
    };
    const giveUp = (): void => {
      const at = this.#waiting.indexOf(go);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      lane.reject(signal.reason);
    };
    this.#waiting.push(go);
    signal.addEventListener('abort', giveUp, { once: true });
    // Whoever calls `go` has counted this one already.
    await lane.promise;
    signal.removeEventListener('abort', giveUp);
  }

  free(): void {
    this.#taken--;
    this.#next();
  }

  /** Told of every piece that was transferred. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    const elapsed = this.#now() - this.#since;
    if (elapsed < WINDOW) return;
    // What happens while lanes stand empty says nothing about the way.
    if (this.#taken >= this.#count && this.#now() >= this.#settledUntil) this.#judge((this.#bytes / elapsed) * 1000);
    this.#restart(this.#now());
  }

  #judge(rate: number): void {
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined && rate < before.rate * (1 + WORTH_IT * (this.#count / before.count - 1))) {
      this.#count = before.count;
      this.#settledUntil = this.#now() + TRY_AGAIN;
      return;
    }
    if (rate / this.#count >= FAST || this.#count === this.most) return;
    this.#before = { count: this.#count, rate };
    this.#count = Math.min(this.most, this.#count * 2);
    // Until the new lanes are under way their rate means nothing.
    this.#settledUntil = this.#now() + WINDOW;
    this.#next();
  }

  #restart(at: number): void {
    this.#bytes = 0;
    this.#since = at;
  }

  #next(): void {
    while (this.#taken < this.#count) {
      const go = this.#waiting.shift();
      if (go === undefined) return;
      this.#taken++;
      go();
    }
  }
}
