import { createHash, type Hash } from 'node:crypto';
import { LEAF, type PlannedVolume } from './layout.ts';
import type { VolumeRecord } from './manifest.ts';

/** Hashes a volume as it passes, whole and leaf by leaf. */
export class VolumeHash {
  readonly #volume: PlannedVolume;
  readonly #whole = createHash('sha256');
  readonly #leaves: string[] = [];
  #leaf: Hash | undefined;
  #inLeaf = 0;

  constructor(volume: PlannedVolume) {
    this.#volume = volume;
  }

  /** @param bytes must not go past the end of a leaf */
  update(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#whole.update(bytes);
    this.#leaf ??= createHash('sha256');
    this.#leaf.update(bytes);
    this.#inLeaf += bytes.byteLength;
    if (this.#inLeaf === LEAF) this.#endLeaf();
  }

  finish(): VolumeRecord {
    this.#endLeaf();
    return { name: this.#volume.name, size: this.#volume.size, sha256: this.#whole.digest('hex'), leaves: this.#leaves };
  }

  #endLeaf(): void {
    if (this.#leaf !== undefined) this.#leaves.push(this.#leaf.digest('hex'));
    this.#leaf = undefined;
    this.#inLeaf = 0;
  }
}
