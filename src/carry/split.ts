import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../bundle/byte-source.ts';
import { DeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { cauchy } from './galois.ts';
import { MatrixKernel } from './kernel.ts';
import { LEAF, type CarryLayout, type PlannedVolume } from './layout.ts';
import type { VolumeRecord } from './manifest.ts';
import { writeAll } from './part-files.ts';
import { VolumeHash } from './volume-hash.ts';

/** Bytes in memory for one row of all volumes; twice this is held, one row being read while the other is written. */
const ROW_MEMORY = 32 * 1024 * 1024;
const BANKS = 2;

export interface SplitWork {
  readonly report: Report;
  readonly signal: AbortSignal;
  create(name: string): Promise<FileHandle>;
}

/** A volume on its way to its file. */
interface Target {
  readonly volume: PlannedVolume;
  readonly handle: FileHandle;
  readonly hash: VolumeHash;
}

/**
 * Cuts a source into volumes and makes their parity, in one pass: every byte is read once, hashed, and written.
 * With parity, all volumes are read side by side, because a row of them makes a row of parity.
 */
export async function splitSource(
  source: ByteSource,
  layout: CarryLayout,
  work: SplitWork,
): Promise<{ readonly volumes: readonly VolumeRecord[]; readonly parity: readonly VolumeRecord[] }> {
  const volumes = await targets(layout.volumes, work);
  const parity = await targets(layout.parity, work);
  const progress = counter(source.size, work.report);
  const starts = layout.volumes.map((_, index) => index * layout.volumeSize);
  if (parity.length > 0) await splitRows(source, starts, volumes, parity, progress, work.signal);
  else {
    for (const [index, target] of volumes.entries())
      await splitRows(source, [starts[index] ?? 0], [target], [], progress, work.signal);
  }
  return { volumes: volumes.map(({ hash }) => hash.finish()), parity: parity.map(({ hash }) => hash.finish()) };
}

async function splitRows(
  source: ByteSource,
  starts: readonly number[],
  volumes: readonly Target[],
  parity: readonly Target[],
  progress: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const slice = sliceSize(volumes.length + parity.length);
  const kernel = new MatrixKernel(volumes.length, parity.length, slice, BANKS);
  kernel.use(cauchy(parity.length, volumes.length));
  const stripe = Math.max(...volumes.map(({ volume }) => volume.size));
  const lengthOf = ({ volume }: Target, at: number): number => Math.max(0, Math.min(slice, volume.size - at));
  const read = async (at: number): Promise<void> => {
    const bank = bankOf(at, slice);
    await Promise.all(
      volumes.map(async (target, index) => {
        const room = kernel.input(bank, index);
        const length = lengthOf(target, at);
        if (length < slice) room.fill(0, length);
        const got = length === 0 ? 0 : await source.read(room.subarray(0, length), (starts[index] ?? 0) + at);
        if (got !== length) throw shrunk();
        progress(length);
      }),
    );
  };
  const written: Promise<unknown>[] = [];
  let reading = read(0);
  try {
    for (let at = 0; at < stripe; at += slice) {
      await reading;
      signal.throwIfAborted();
      const bank = bankOf(at, slice);
      // The other bank may be filled again when all of it is written.
      await written[1 - bank];
      if (at + slice < stripe) reading = read(at + slice);
      reading.catch(() => undefined);
      const put = (target: Target, bytes: Uint8Array): Promise<void> => {
        const done = writeAll(target.handle, bytes, at);
        target.hash.update(bytes);
        return done;
      };
      const writes = volumes.map((target, index) => put(target, kernel.input(bank, index).subarray(0, lengthOf(target, at))));
      kernel.run(bank, Math.min(slice, stripe - at));
      writes.push(...parity.map((target, index) => put(target, kernel.output(bank, index).subarray(0, lengthOf(target, at)))));
      const all = Promise.all(writes);
      all.catch(() => undefined);
      written[bank] = all;
    }
    await Promise.all(written);
  } finally {
    // Nothing may still read into memory or write to files that the caller closes.
    await Promise.allSettled([reading, ...written]);
  }
}

/** A part of a leaf, so that no volume's memory has to hold a whole one where there are many. */
export function sliceSize(volumes: number): number {
  let slice = LEAF;
  while (slice > 64 * 1024 && slice * volumes > ROW_MEMORY) slice /= 2;
  return slice;
}

function bankOf(at: number, slice: number): 0 | 1 {
  return (at / slice) % BANKS === 0 ? 0 : 1;
}

async function targets(volumes: readonly PlannedVolume[], work: SplitWork): Promise<readonly Target[]> {
  const made: Target[] = [];
  for (const volume of volumes) made.push({ volume, handle: await work.create(volume.name), hash: new VolumeHash(volume) });
  return made;
}

function counter(total: number, report: Report): (count: number) => void {
  let done = 0;
  return (count) => {
    done += count;
    report.progress({ done, total, unit: 'bytes' });
  };
}

function shrunk(): DeliverError {
  return new DeliverError('E_FILE_UNREADABLE', { what: 'The bundle became shorter while it was read.' });
}
