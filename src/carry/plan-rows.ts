import type { FileHandle } from 'node:fs/promises';
import type { FilePlace } from '../core/file-transfer.ts';
import { LEAF, type PlannedVolume } from './layout.ts';
import type { Piece, RowQuestion } from './row-jobs.ts';

/** What a thread does for a volume, in time that hashing takes: reading and writing are copies. */
const COST = { read: 0.2, write: 0.3, hash: 1 };
/** The kernel takes so many bytes at once. */
const STEP = 32;

/** A volume, where its bytes come from, and where they go when they do not stay there. */
export interface VolumeInput {
  readonly volume: PlannedVolume;
  readonly from: FilePlace;
  /** For messages. */
  readonly path: string;
  readonly to?: FileHandle;
}

/** A parity volume and its file. */
export interface ParityOutput {
  readonly volume: PlannedVolume;
  readonly to: FileHandle;
}

/** Who does what in every row of volumes: hashes of a volume are made by one thread each, because they go on from row to row. */
export interface HashDuties {
  readonly rows: number;
  readonly hasParity: boolean;
  /** Bytes of data in a row. */
  bytesOf(row: number): number;
  pathOf(descriptor: number): string;
  take(row: number, bank: number, thread: number): RowQuestion;
  parity(row: number, bank: number, thread: number): RowQuestion;
  end(row: number, bank: number, thread: number): RowQuestion;
}

interface Volume {
  readonly index: number;
  readonly size: number;
  readonly from?: FilePlace;
  readonly to?: number;
}

/** @param slice bytes of a volume in a row */
export function planRows(
  inputs: readonly VolumeInput[],
  parity: readonly ParityOutput[],
  threads: number,
  slice: number,
): HashDuties {
  const data = inputs.map(({ volume, from, to }, index): Volume => {
    return { index, size: volume.size, from, ...(to === undefined ? {} : { to: to.fd }) };
  });
  const made = parity.map(({ volume, to }, k): Volume => ({ index: inputs.length + k, size: volume.size, to: to.fd }));
  const all = [...data, ...made];
  const stripe = Math.max(...all.map(({ size }) => size));
  const { wholes, leaves } = share(all, threads);
  const pieceOf = ({ index, size }: Volume, row: number): Piece => {
    const at = row * slice;
    return { volume: index, slot: index, at, length: Math.max(0, Math.min(slice, size - at)) };
  };
  return {
    rows: Math.ceil(stripe / slice),
    hasParity: parity.length > 0,
    bytesOf: (row) => data.reduce((sum, volume) => sum + pieceOf(volume, row).length, 0),
    pathOf: (descriptor) => inputs.find(({ from }) => from.descriptor === descriptor)?.path ?? '',
    take: (row, bank, thread) => ({
      kind: 'take',
      bank,
      pieces: (wholes[thread] ?? []).flatMap((volume) => {
        if (volume.from === undefined) return [];
        const piece = pieceOf(volume, row);
        return [{ ...piece, from: { descriptor: volume.from.descriptor, offset: volume.from.offset + piece.at } }];
      }),
    }),
    parity(row, bank, thread) {
      const whole = Math.min(slice, stripe - row * slice);
      const part = Math.ceil(whole / threads / STEP) * STEP;
      const from = Math.min(whole, thread * part);
      return { kind: 'parity', bank, from, length: Math.min(part, whole - from) };
    },
    end: (row, bank, thread) => ({
      kind: 'end',
      bank,
      wholes: (wholes[thread] ?? []).filter(({ from }) => from === undefined).map((volume) => pieceOf(volume, row)),
      leaves: (leaves[thread] ?? []).map((volume) => {
        const piece = pieceOf(volume, row);
        const end = piece.at + piece.length;
        const ends = end % LEAF === 0 || end === volume.size;
        return { ...piece, ends, ...(volume.to === undefined ? {} : { to: { descriptor: volume.to, offset: piece.at } }) };
      }),
    }),
  };
}

/** Shares the hashes out, the costly first, each to whoever has least to do. */
function share(volumes: readonly Volume[], threads: number): { readonly wholes: Volume[][]; readonly leaves: Volume[][] } {
  const wholes: Volume[][] = Array.from({ length: threads }, () => []);
  const leaves: Volume[][] = Array.from({ length: threads }, () => []);
  const load = wholes.map(() => 0);
  const give = (to: Volume[][], volume: Volume, cost: number): void => {
    const thread = load.indexOf(Math.min(...load));
    to[thread]?.push(volume);
    load[thread] = (load[thread] ?? 0) + cost;
  };
  for (const volume of volumes) give(leaves, volume, COST.hash + (volume.to === undefined ? 0 : COST.write));
  for (const volume of volumes) give(wholes, volume, COST.hash + (volume.from === undefined ? 0 : COST.read));
  return { wholes, leaves };
}
