/** Harbor's proxy cuts a sender that is silent for 60 s; a receiver gets twice that. */
const STALL = 120_000;

/** Ends a transfer in which nothing moves any more, whichever side hangs. */
export class StallWatch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Aborted by the caller, or when nothing moved for too long. */
  readonly signal: AbortSignal;
  /** Set when this watch ended the transfer. */
  stalled: Error | undefined;

  constructor(signal: AbortSignal | undefined, milliseconds = STALL) {
    this.signal = signal === undefined ? this.#controller.signal : AbortSignal.any([signal, this.#controller.signal]);
    this.#timer = setTimeout(() => {
      this.stalled = Object.assign(new Error(`nothing moved for ${String(milliseconds / 1000)} s`), { code: 'ETIMEDOUT' });
      this.#controller.abort(this.stalled);
    }, milliseconds);
  }

  moved(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
