/** Memory for so many parts; who asks for more waits until one is given back. */
export class PartBuffers {
  readonly #size: number;
  readonly #most: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: PromiseWithResolvers<Buffer>[] = [];
  #made = 0;

  /** @param size bytes of each */
  constructor(size: number, most: number) {
    this.#size = size;
    this.#most = most;
  }

  async take(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made < this.#most) {
      this.#made += 1;
      return Buffer.allocUnsafeSlow(this.#size);
    }
    const turn = Promise.withResolvers<Buffer>();
    this.#waiting.push(turn);
    return turn.promise;
  }

  giveBack(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next.resolve(buffer);
  }

  /** Those who wait get nothing any more. */
  fail(reason: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }
}
