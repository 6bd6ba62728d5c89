import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobOrigins } from '../../src/bundle/blob-origin.ts';
import type { Digest } from '../../src/core/digest.ts';

const CHUNK = 64 * 1024;

export interface MemoryOriginsOptions {
  /** Milliseconds between chunks of 64 KiB. */
  readonly pause?: number;
  /** Called when a blob is opened. */
  readonly onOpen?: (digest: Digest) => void;
  /** Called before each chunk; may throw, or wait for ever. */
  readonly beforeChunk?: (digest: Digest, offset: number) => Promise<void> | void;
}

/** Origins of blobs that serve from memory and remember what they were asked for. */
export class MemoryOrigins implements BlobOrigins {
  readonly opened: Digest[] = [];
  /** Blobs that are being read now. */
  inFlight = 0;
  readonly #content: ReadonlyMap<Digest, Uint8Array>;
  readonly #options: MemoryOriginsOptions;

  constructor(content: ReadonlyMap<Digest, Uint8Array>, options: MemoryOriginsOptions = {}) {
    this.#content = content;
    this.#options = options;
  }

  describe(digest: Digest): string {
    return `memory ${digest}`;
  }

  async open(digest: Digest): Promise<AsyncIterable<Uint8Array>> {
    this.opened.push(digest);
    this.#options.onOpen?.(digest);
    const bytes = this.#content.get(digest);
    if (bytes === undefined) throw new Error(`the test release has no ${digest}`);
    return this.#read(digest, bytes);
  }

  async *#read(digest: Digest, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    this.inFlight += 1;
    try {
      for (let at = 0; at < bytes.byteLength; at += CHUNK) {
        await sleep(this.#options.pause ?? 0);
        await this.#options.beforeChunk?.(digest, at);
        yield bytes.subarray(at, at + CHUNK);
      }
    } finally {
      this.inFlight -= 1;
    }
  }
}
