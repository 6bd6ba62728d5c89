import type { FileHandle } from 'node:fs/promises';
import { unreadable } from '../bundle/byte-source.ts';
import type { OpenSource } from '../bundle/open-source.ts';
import { DeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { Crew, crewSize, threadEntry } from './crew.ts';
import { cauchy } from './galois.ts';
import { MatrixKernel } from './kernel.ts';
import { LEAF, type CarryLayout, type PlannedVolume } from './layout.ts';
import type { VolumeRecord } from './manifest.ts';
import { planRows, type HashDuties, type ParityOutput, type VolumeInput } from './plan-rows.ts';
import type { RowAnswer, RowQuestion } from './row-jobs.ts';
import { WriteBack } from '../bundle/write-back.ts';

/** Bytes in memory for one row of all volumes; `BANKS` times this is held. */
const ROW_MEMORY = 8 * 1024 * 1024;
/** Rows in hand at once, so that a thread that is done with one can go on with the next. */
const BANKS = 3;

export interface SplitWork {
  readonly report: Report;
  readonly signal: AbortSignal;
  create(name: string): Promise<FileHandle>;
}

export interface VolumeRecords {
  readonly volumes: readonly VolumeRecord[];
  readonly parity: readonly VolumeRecord[];
}

/** Cuts a bundle into volumes and makes their parity, in one pass: every byte is read once, hashed, and written. */
export async function splitSource(
  opened: Pick<OpenSource, 'place'>,
  path: string,
  layout: CarryLayout,
  work: SplitWork,
): Promise<VolumeRecords> {
  const inputs: VolumeInput[] = [];
  for (const [index, volume] of layout.volumes.entries()) {
    const from = opened.place(index * layout.volumeSize, volume.size);
    if (from === undefined) throw new DeliverError('E_BUG', { what: `${path} is not one file.` });
    inputs.push({ volume, from, path, to: await work.create(volume.name) });
  }
  const parity: ParityOutput[] = [];
  for (const volume of layout.parity) parity.push({ volume, to: await work.create(volume.name) });
  return makeRecords(inputs, parity, work);
}

/**
 * Hashes volumes, whole and leaf by leaf, makes their parity, and writes what has to be written, on all cores. With parity
 * all volumes are read side by side, because a row of them makes a row of parity; without, as many as keep the cores busy.
 * @throws DeliverError E_FILE_UNREADABLE; errors of writing as the file system says them
 */
export async function makeRecords(
  inputs: readonly VolumeInput[],
  parity: readonly ParityOutput[],
  work: Pick<SplitWork, 'report' | 'signal'>,
): Promise<VolumeRecords> {
  const threads = crewSize(2 * (inputs.length + parity.length));
  const width = parity.length > 0 ? inputs.length : Math.min(inputs.length, threads);
  const slice = sliceSize(width + parity.length);
  const kernel = new MatrixKernel(width, parity.length, slice, BANKS);
  kernel.use(cauchy(parity.length, width));
  const crew = new Crew<RowQuestion, RowAnswer>(threadEntry('row-worker', import.meta.url), threads, { share: kernel.share });
  const total = inputs.reduce((sum, { volume }) => sum + volume.size, 0);
  const writeBack = new WriteBack([...inputs, ...parity].flatMap(({ to }) => to ?? []));
  let done = 0;
  const onRow = (count: number): void => {
    done += count;
    writeBack.wrote(count);
    work.report.progress({ done, total, unit: 'bytes' });
  };
  try {
    const records: VolumeRecord[] = [];
    for (let first = 0; first < inputs.length; first += width) {
      const group = inputs.slice(first, first + width);
      const plan = planRows(group, parity, threads, slice);
      await runRows(crew, plan, onRow, work.signal);
      records.push(...(await finished(crew, [...group, ...parity])));
    }
    await writeBack.done();
    return { volumes: records.slice(0, inputs.length), parity: records.slice(inputs.length) };
  } finally {
    // Nothing may still read or write files that the caller closes.
    await crew.close();
    await writeBack.idle();
  }
}

async function runRows(
  crew: Crew<RowQuestion, RowAnswer>,
  plan: HashDuties,
  onRow: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const rows: Promise<void>[] = [];
  const askAll = async (job: (thread: number) => RowQuestion): Promise<void> => {
    for (const answer of await crew.askAll(job)) refuseFailure(answer, plan);
  };
  for (let row = 0; row < plan.rows; row++) {
    // The memory of a row may be filled again when all of the row that had it is written.
    await rows[row - BANKS];
    signal.throwIfAborted();
    const bank = row % BANKS;
    const one = async (): Promise<void> => {
      await askAll((thread) => plan.take(row, bank, thread));
      if (plan.hasParity) await askAll((thread) => plan.parity(row, bank, thread));
      await askAll((thread) => plan.end(row, bank, thread));
      onRow(plan.bytesOf(row));
    };
    const running = one();
    running.catch(() => undefined);
    rows.push(running);
  }
  await Promise.all(rows);
}

/** The records of volumes, in their order, from what the threads hold. */
async function finished(
  crew: Crew<RowQuestion, RowAnswer>,
  volumes: readonly { readonly volume: PlannedVolume }[],
): Promise<readonly VolumeRecord[]> {
  const wholes = new Map<number, string>();
  const leaves = new Map<number, readonly string[]>();
  for (const answer of await crew.askAll(() => ({ kind: 'finish' }))) {
    if (answer.kind !== 'hashes') continue;
    for (const [volume, digest] of answer.hashes.wholes) wholes.set(volume, digest);
    for (const [volume, digests] of answer.hashes.leaves) leaves.set(volume, digests);
  }
  return volumes.map(({ volume: { name, size } }, index) => {
    return { name, size, sha256: wholes.get(index) ?? '', leaves: [...(leaves.get(index) ?? [])] };
  });
}

function refuseFailure(answer: RowAnswer, plan: HashDuties): void {
  if (answer.kind === 'short')
    throw new DeliverError('E_FILE_UNREADABLE', { what: 'The bundle became shorter while it was read.' });
  if (answer.kind !== 'failed') return;
  if (answer.act === 'read') throw unreadable(plan.pathOf(answer.descriptor), answer.offset, answer);
  throw Object.assign(new Error(answer.message), { code: answer.code });
}

/** A part of a leaf, so that no volume's memory has to hold a whole one where there are many. */
export function sliceSize(volumes: number): number {
  let slice = LEAF;
  while (slice > 64 * 1024 && slice * volumes > ROW_MEMORY) slice /= 2;
  return slice;
}
