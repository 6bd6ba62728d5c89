/** Milliseconds between two looks at the rates. */
const LOOK = 50;
/** Milliseconds that a rate is taken over. */
const WINDOW = 400;
/** The same at first and as long as there were more lanes each time: with little to fetch it would be over before anything is known. */
const SHORT_WINDOW = 150;
/** Bytes per second of one connection below which it is the way that is slow, not this machine. */
const SLOW = 24 * 1024 * 1024;
/** Twice as many connections have to bring this much more. */
const WORTH = 1.2;
/** Share of the time that a lane was in use from which on it tells something. */
const USED = 0.75;

/** What all together brought before lanes were opened. */
interface Before {
  /** Bytes per millisecond. */
  readonly rate: number;
  /** Connections in use, on average. */
  readonly used: number;
}

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
  /** Bytes per millisecond. */
  #perConnection = 0;
  #before: Before | undefined;
  #window = SHORT_WINDOW;
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

  /** Bytes that one connection brings in so many milliseconds; 0 while that is not known. */
  bytesIn(milliseconds: number): number {
    return this.#perConnection * milliseconds;
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
    else if (window >= this.#window) this.#judge(window);
    this.tellChange();
  }

  #judge(window: number): void {
    this.#perConnection = this.#bytes / this.#inUse;
    this.#isSlow = this.#perConnection < SLOW / 1000;
    const now = { rate: this.#bytes / window, used: this.#inUse / window };
    // Lanes that had nothing to do say nothing about what more of them would bring; but that one is slow, one alone says.
    if (now.used > USED * (this.#before === undefined ? 1 : this.count)) {
      const grows = this.#isSlow && this.count < this.#most && isWorth(now, this.#before);
      this.#window = grows ? SHORT_WINDOW : WINDOW;
      if (grows) {
        this.#before = now;
        this.count = Math.min(this.#most, this.count * 2);
      }
    }
    this.#bytes = 0;
    this.#inUse = 0;
    this.#since = this.#last;
  }
}

function isWorth(now: Before, before: Before | undefined): boolean {
  return before === undefined || now.rate > before.rate * (1 + (WORTH - 1) * (now.used / before.used - 1));
}
