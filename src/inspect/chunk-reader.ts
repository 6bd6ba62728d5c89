/** Takes exactly as many bytes as are wanted from a stream of chunks; holds no more than one chunk and what was asked for. */
export class ChunkReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `size` bytes, copied; fewer only at the end. The caller bounds `size`. */
  async read(size: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(size);
    let filled = 0;
    for await (const piece of this.pieces(size)) {
      bytes.set(piece, filled);
      filled += piece.byteLength;
    }
    return bytes.subarray(0, filled);
  }

  /** The same, chunk by chunk; each is good until the next one is asked for. */
  async *pieces(size: number): AsyncGenerator<Uint8Array> {
    for (let left = size; left > 0;) {
      if (this.#chunk.byteLength === 0 && !(await this.#next())) return;
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
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
