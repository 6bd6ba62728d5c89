import { createHash } from 'node:crypto';
import type { PartBytes } from './part-bytes.ts';

/** Takes the bytes of one blob, in order: hashes them and writes them at their place. */
export interface BlobTarget {
  /** Two buffers that `put` can take without copying: one is filled while the other is being written. */
  readonly buffers: readonly [Uint8Array, Uint8Array];
  /** The memory may be used again when the promise is fulfilled. Rejects as the file system says. */
  put(bytes: Uint8Array, position: number): Promise<void>;
  /** Of all that was put, as `sha256:…`. */
  digest(): Promise<string>;
}

export function buffersOf(size: number): BlobTarget['buffers'] {
  return [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)];
}

/** Does it all on this thread. */
export class InlineTarget implements BlobTarget {
  readonly #file: PartBytes;
  readonly #hash = createHash('sha256');
  readonly buffers: BlobTarget['buffers'];

  constructor(file: PartBytes, buffers: BlobTarget['buffers']) {
    this.#file = file;
    this.buffers = buffers;
  }

  async put(bytes: Uint8Array, position: number): Promise<void> {
    this.#hash.update(bytes);
    await this.#file.write(bytes, position);
  }

  async digest(): Promise<string> {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
