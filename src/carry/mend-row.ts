import { createHash } from 'node:crypto';
import { DeliverError } from '../core/errors.ts';
import { cauchy, inverted, product, type Matrix } from './galois.ts';
import { leafSize } from './identify.ts';
import { MatrixKernel } from './kernel.ts';
import { allVolumes, type CarryManifest } from './manifest.ts';
import { sliceSize } from './split.ts';

/** Reads a part of a good leaf. */
export type ReadLeaf = (volume: number, row: number, target: Uint8Array, from: number) => Promise<void>;

/** Rebuilds the lost leaves of a row from the good ones. */
export class RowMender {
  readonly #carry: CarryManifest;
  readonly #kernel: MatrixKernel;
  readonly #slice: number;
  readonly #data: number;
  readonly #parity: number;
  #lost = '';
  #used: readonly number[] = [];

  constructor(carry: CarryManifest) {
    this.#carry = carry;
    this.#data = carry.volumes.length;
    this.#parity = carry.parity.volumes.length;
    this.#slice = sliceSize(this.#data + 2 * this.#parity);
    this.#kernel = new MatrixKernel(this.#data + this.#parity, this.#parity, this.#slice);
  }

  /**
   * @param lost volumes whose leaf in this row is lost, at most as many as there are parity volumes
   * @returns their leaves, each compared with its hash
   */
  async mend(row: number, lost: readonly number[], read: ReadLeaf): Promise<ReadonlyMap<number, Uint8Array>> {
    this.#prepare(lost);
    const volumes = allVolumes(this.#carry);
    const sizeOf = (index: number): number => leafSize(volumes[index] ?? { size: 0 }, row);
    const made = new Map(lost.map((index) => [index, Buffer.alloc(sizeOf(index))]));
    const longest = Math.max(...lost.map(sizeOf));
    for (let at = 0; at < longest; at += this.#slice) {
      const length = Math.min(this.#slice, longest - at);
      await Promise.all(
        this.#used.map(async (index) => {
          const room = this.#kernel.input(0, index);
          const count = Math.max(0, Math.min(length, sizeOf(index) - at));
          room.fill(0, count);
          if (count > 0) await read(index, row, room.subarray(0, count), at);
        }),
      );
      this.#kernel.run(0, length);
      for (const [place, index] of lost.entries()) {
        const leaf = made.get(index);
        const count = Math.max(0, Math.min(length, sizeOf(index) - at));
        // A short leaf ends before others of its row do.
        if (count > 0) leaf?.set(this.#kernel.output(0, place).subarray(0, count), at);
      }
    }
    for (const [index, leaf] of made)
      refuseOther(volumes[index]?.leaves[row], leaf, `${volumes[index]?.name ?? ''}, MiB ${String(row)}`);
    return made;
  }

  /** One matrix for this pattern of losses; most rows of a set have the same. */
  #prepare(lost: readonly number[]): void {
    const pattern = lost.join();
    if (pattern === this.#lost) return;
    const lostData = lost.filter((index) => index < this.#data);
    const goodParity = indexes(this.#parity).filter((k) => !lost.includes(this.#data + k));
    const used = goodParity.slice(0, lostData.length);
    const code = cauchy(this.#parity, this.#data);
    const columns = this.#data + this.#parity;
    // lost data = (lost columns of the code)^-1 × (parity − good data's share); minus is plus here.
    const square = used.map((k) => Uint8Array.from(lostData, (index) => code[k]?.[index] ?? 0));
    const shares = used.map((k) => {
      const share = new Uint8Array(columns);
      for (const index of indexes(this.#data)) if (!lost.includes(index)) share[index] = code[k]?.[index] ?? 0;
      share[this.#data + k] = 1;
      return share;
    });
    const mended = lostData.length === 0 ? [] : product(inverted(square), shares);
    const data = indexes(this.#data).map((index) => mended[lostData.indexOf(index)] ?? one(columns, index));
    const lostParity = lost.filter((index) => index >= this.#data).map((index) => code[index - this.#data] ?? new Uint8Array());
    const matrix: Matrix = [...mended, ...product(lostParity, data)];
    this.#kernel.use(matrix);
    this.#used = indexes(columns).filter((index) => matrix.some((factors) => factors[index] !== 0));
    for (const index of indexes(columns)) if (!this.#used.includes(index)) this.#kernel.input(0, index).fill(0);
    this.#lost = pattern;
  }
}

function one(length: number, index: number): Uint8Array {
  const row = new Uint8Array(length);
  row[index] = 1;
  return row;
}

function indexes(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** What was rebuilt from leaves that changed meanwhile, or from a wrong manifest, must not be written. */
function refuseOther(expected: string | undefined, leaf: Uint8Array, place: string): void {
  if (createHash('sha256').update(leaf).digest('hex') === expected) return;
  throw new DeliverError('E_CARRY_DAMAGED', {
    what: `${place} can't be rebuilt.`,
    why: 'What parity gives does not have the promised sha256: a file changed while it was read.',
    fix: 'Run the same command again.',
  });
}
