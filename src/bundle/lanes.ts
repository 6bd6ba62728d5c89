/** Milliseconds between two looks at the rates. */
const LOOK = 100;
/** Milliseconds that a rate is taken over. */
const WINDOW = 400;
/** Bytes per second of one connection below which it is the way that is slow, not this machine. */
const SLOW = 24 * 1024 * 1024;
/** More connections have to bring this much more. */
const WORTH = 1.2;

/**
 * How many blobs, or ranges of one, are on their way at once: few where one connection is fast, twice as many again and again
 * where each is slow, for as long as all together get faster.
 */
export class Lanes {
  /** Open now. */
  count: number;
  readonly #most: number;
  readonly #timer: NodeJS.Timeout;
  #isSlow = false;
  #best = 0;
  #active = 0;
  #bytes = 0;
  /** Milliseconds that connections were in use within the window, each for itself. */
  #inUse = 0;
  #since = performance.now();
  #last = this.#since;
  #turn = Promise.withResolvers<undefined>();

  constructor(first: number, most: number) {
    this.count = Math.min(first, most);
    this.#most = most;
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK);
  }

  /** Whether it is worth to ask for several ranges of one blob. */
  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Fulfilled when there may be something new to do: a lane was opened, a rate is known, a blob is done. */
  changed(): Promise<undefined> {
    return this.#turn.promise;
  }

  tellChange(): void {
    this.#turn.resolve(undefined);
    this.#turn = Promise.withResolvers();
  }

  /** A source has begun to send. @returns to be called when it has ended */
  began(): () => void {
    this.#elapse();
    this.#active += 1;
    return () => {
      this.#elapse();
      this.#active -= 1;
    };
  }

  received(count: number): void {
    this.#bytes += count;
  }

  close(): void {
    clearInterval(this.#timer);
    this.tellChange();
  }

  #elapse(): void {
    const now = performance.now();
    this.#inUse += this.#active * (now - this.#last);
    this.#last = now;
  }

  #look(): void {
    this.#elapse();
    const window = this.#last - this.#since;
    if (this.#inUse === 0) this.#since = this.#last;
    else if (window >= WINDOW) this.#judge(window);
    this.tellChange();
  }

  #judge(window: number): void {
    this.#isSlow = this.#bytes / this.#inUse < SLOW / 1000;
    const rate = this.#bytes / window;
    // Lanes that had nothing to do say nothing about what more of them would bring.
    const wereUsed = this.#inUse > 0.75 * this.count * window;
    if (this.#isSlow && wereUsed && this.count < this.#most && rate > this.#best * WORTH) {
      this.#best = rate;
      this.count = Math.min(this.#most, this.count * 2);
    }
    this.#bytes = 0;
    this.#inUse = 0;
    this.#since = this.#last;
  }
}
