/** Takes exactly as many bytes as are wanted from a stream of chunks; holds no more than one chunk and what was asked for. */
export class ChunkReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `size` bytes; fewer only at the end. The caller bounds `size`. */
  async read(size: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (let left = size; left > 0;) {
      if (this.#chunk.byteLength === 0 && !(await this.#next())) break;
      const part = this.#chunk.subarray(0, left);
      parts.push(part);
      left -= part.byteLength;
      this.#chunk = this.#chunk.subarray(part.byteLength);
    }
    return Buffer.concat(parts);
  }

  /** True when that many bytes were there to be skipped. */
  async skip(size: number): Promise<boolean> {
    let left = size;
    while (left > this.#chunk.byteLength) {
      left -= this.#chunk.byteLength;
      if (!(await this.#next())) return false;
    }
    this.#chunk = this.#chunk.subarray(left);
    return true;
  }

  /** Reads what is left, so that checks at the end of the source happen. */
  async drain(): Promise<void> {
    while (await this.#next());
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<boolean> {
    const next = await this.#source.next();
    this.#chunk = next.done === true ? new Uint8Array() : next.value;
    return next.done !== true;
  }
}
