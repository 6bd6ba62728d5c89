import type { FileHandle } from 'node:fs/promises';
import type { FilePlace } from '../core/file-transfer.ts';
import { fileSource, type ByteSource } from './byte-source.ts';

/** A bundle that is being written: in one file, or in volumes of the same size, one after the other. */
export class PartBytes {
  /** Bytes of the whole. */
  readonly size: number;
  readonly handles: readonly FileHandle[];
  readonly #volumeSize: number;

  /** @param volumeSize bytes of every file but the last */
  constructor(handles: readonly FileHandle[], volumeSize: number, size: number) {
    this.handles = handles;
    this.#volumeSize = volumeSize;
    this.size = size;
  }

  /** Where a range lies when it is in one file; undefined when it spans several. */
  place(offset: number, size: number): FilePlace | undefined {
    const [first, ...more] = this.pieces(offset, size);
    return more.length === 0 ? first : undefined;
  }

  /** Where a range lies, in order. */
  pieces(offset: number, size: number): readonly (FilePlace & { readonly size: number })[] {
    const pieces: (FilePlace & { readonly size: number })[] = [];
    for (let at = offset; at < offset + size || pieces.length === 0;) {
      const index = Math.floor(at / this.#volumeSize);
      const within = at - index * this.#volumeSize;
      const length = Math.min(offset + size - at, this.#volumeSize - within);
      pieces.push({ descriptor: this.handles[index]?.fd ?? -1, offset: within, size: length });
      at += length;
    }
    return pieces;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      const at = position + done;
      const index = Math.floor(at / this.#volumeSize);
      const within = at - index * this.#volumeSize;
      const length = Math.min(bytes.byteLength - done, this.#volumeSize - within);
      done += (await this.#handle(index).write(bytes, done, length, within)).bytesWritten;
    }
  }

  /** What is written, to read again. */
  source(path: string): ByteSource {
    const files = this.handles.map((handle) => fileSource(handle, path, this.#volumeSize));
    return {
      size: this.size,
      read: async (target, offset) => {
        const wanted = Math.min(target.byteLength, this.size - offset);
        for (let done = 0; done < wanted;) {
          const index = Math.floor((offset + done) / this.#volumeSize);
          const within = offset + done - index * this.#volumeSize;
          const part = target.subarray(done, done + Math.min(wanted - done, this.#volumeSize - within));
          const count = (await files[index]?.read(part, within)) ?? 0;
          if (count < part.byteLength) return done + count;
          done += count;
        }
        return wanted;
      },
    };
  }

  #handle(index: number): FileHandle {
    const handle = this.handles[index];
    if (handle === undefined) throw new RangeError('past the end of the bundle');
    return handle;
  }
}
