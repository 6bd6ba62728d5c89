import { hash } from 'node:crypto';
import { leafSize } from './identify.ts';
import { LEAF } from './layout.ts';
import type { OpenCarry } from './open-carry.ts';
import type { ContentPart, Edge } from './scan-jobs.ts';

interface Kept {
  readonly memory: Uint8Array;
  readonly reading: Promise<Uint8Array | undefined>;
  /** Parts that have not had their share. */
  sharers: number;
}

/** Leaves that two parts of the bundle share: read and hashed here, once, and kept until both are done with them. */
export class EdgeLeaves {
  readonly #set: OpenCarry;
  readonly #onLeaf: (leaf: number, hex: string) => void;
  readonly #kept = new Map<number, Kept>();
  /** Memory to use again: threads see it without a copy. */
  readonly #spare: Uint8Array[] = [];

  /** @param onLeaf told the digest of each leaf, empty when it could not be read */
  constructor(set: OpenCarry, onLeaf: (leaf: number, hex: string) => void) {
    this.#set = set;
    this.#onLeaf = onLeaf;
  }

  /** What of the leaf before the first whole one belongs to this part. */
  async head({ range, firstLeaf }: ContentPart): Promise<Edge> {
    return this.#share(firstLeaf - 1, range.start, Math.min(firstLeaf * LEAF, range.end));
  }

  /** What of the leaf after the last whole one belongs to this part. */
  async tail({ range, endLeaf }: ContentPart): Promise<Edge> {
    return this.#share(endLeaf, Math.max(range.start, endLeaf * LEAF), range.end);
  }

  /** Nobody reads the edges of this part any more. */
  done({ firstLeaf, endLeaf }: ContentPart): void {
    for (const leaf of new Set([firstLeaf - 1, endLeaf])) {
      const kept = this.#kept.get(leaf);
      if (kept === undefined || --kept.sharers > 0) continue;
      this.#kept.delete(leaf);
      this.#spare.push(kept.memory);
    }
  }

  async #share(leaf: number, start: number, end: number): Promise<Edge> {
    if (end <= start) return { length: 0 };
    let kept = this.#kept.get(leaf);
    if (kept === undefined) {
      const memory = this.#spare.pop() ?? new Uint8Array(new SharedArrayBuffer(LEAF));
      kept = { memory, reading: this.#read(leaf, memory), sharers: 2 };
      this.#kept.set(leaf, kept);
    }
    const bytes = await kept.reading;
    const length = end - start;
    return bytes === undefined ? { length } : { length, bytes: bytes.subarray(start - leaf * LEAF, end - leaf * LEAF) };
  }

  async #read(leaf: number, memory: Uint8Array): Promise<Uint8Array | undefined> {
    const { carry, files } = this.#set;
    const perVolume = carry.volumeSize / LEAF;
    const index = Math.floor(leaf / perVolume);
    const bytes = memory.subarray(0, leafSize(carry.volumes[index] ?? { size: 0 }, leaf % perVolume));
    for (let done = 0; done < bytes.length;) {
      const at = (leaf % perVolume) * LEAF + done;
      const read = await files[index]?.handle.read(bytes, done, bytes.length - done, at).catch(() => undefined);
      if (read === undefined || read.bytesRead === 0) {
        this.#onLeaf(leaf, '');
        return undefined;
      }
      done += read.bytesRead;
    }
    this.#onLeaf(leaf, hash('sha256', bytes, 'hex'));
    return bytes;
  }
}
