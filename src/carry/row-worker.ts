import { createHash, type Hash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemCode } from '../core/errors.ts';
import type { FilePlace } from '../core/file-transfer.ts';
import type { Said } from './crew.ts';
import { MatrixKernel } from './kernel.ts';
import type { Piece, RowAnswer, RowJob, RowQuestion, RowThreadData } from './row-jobs.ts';

// The entry of a worker thread: reads, hashes, multiplies and writes rows of volumes in memory that all threads share.

const { share } = workerData as RowThreadData;
const kernel = MatrixKernel.of(share);
/** By number of volume. */
const wholes = new Map<number, Hash>();
const leaves = new Map<number, { done: string[]; open: Hash | undefined }>();

class Failed extends Error {
  readonly answer: RowAnswer;
  constructor(answer: RowAnswer) {
    super(answer.kind);
    this.answer = answer;
  }
}

parentPort?.on('message', (question: RowQuestion) => {
  const said: Said<RowAnswer> = { answer: answerTo(question) };
  parentPort?.postMessage(said);
});

function answerTo(question: RowQuestion): RowAnswer {
  if (question.kind === 'finish') return { kind: 'hashes', hashes: finish() };
  try {
    run(question);
    return { kind: 'done' };
  } catch (error) {
    if (error instanceof Failed) return error.answer;
    throw error;
  }
}

function run(job: RowJob): void {
  if (job.kind === 'parity') {
    if (job.length > 0) kernel.run(job.bank, job.length, job.from);
    return;
  }
  const bytesOf = ({ slot, length }: Piece): Uint8Array => kernel.input(job.bank, slot).subarray(0, length);
  if (job.kind === 'take') {
    for (const piece of job.pieces) {
      read(bytesOf(piece), piece.from);
      // What is shorter than the row counts as zeros for the parity.
      kernel.input(job.bank, piece.slot).fill(0, piece.length);
      hashWhole(piece.volume, bytesOf(piece));
    }
    return;
  }
  for (const piece of job.wholes) hashWhole(piece.volume, bytesOf(piece));
  for (const piece of job.leaves) {
    hashLeaf(bytesOf(piece), piece);
    if (piece.to !== undefined) write(bytesOf(piece), piece.to);
  }
}

function hashWhole(volume: number, bytes: Uint8Array): void {
  const hash = wholes.get(volume) ?? createHash('sha256');
  wholes.set(volume, hash);
  hash.update(bytes);
}

function hashLeaf(bytes: Uint8Array, { volume, ends }: Piece & { readonly ends: boolean }): void {
  if (bytes.byteLength === 0) return;
  const state = leaves.get(volume) ?? { done: [], open: undefined };
  leaves.set(volume, state);
  state.open ??= createHash('sha256');
  state.open.update(bytes);
  if (!ends) return;
  state.done.push(state.open.digest('hex'));
  state.open = undefined;
}

function finish(): { wholes: [number, string][]; leaves: [number, string[]][] } {
  const hashes = {
    wholes: [...wholes].map(([volume, hash]): [number, string] => [volume, hash.digest('hex')]),
    leaves: [...leaves].map(([volume, { done }]): [number, string[]] => [volume, done]),
  };
  wholes.clear();
  leaves.clear();
  return hashes;
}

function read(bytes: Uint8Array, { descriptor, offset }: FilePlace): void {
  for (let done = 0; done < bytes.byteLength;) {
    const count = trying('read', { descriptor, offset: offset + done }, () =>
      readSync(descriptor, bytes, done, bytes.byteLength - done, offset + done),
    );
    if (count === 0) throw new Failed({ kind: 'short' });
    done += count;
  }
}

function write(bytes: Uint8Array, { descriptor, offset }: FilePlace): void {
  for (let done = 0; done < bytes.byteLength;) {
    done += trying('write', { descriptor, offset: offset + done }, () =>
      writeSync(descriptor, bytes, done, bytes.byteLength - done, offset + done),
    );
  }
}

function trying(act: 'read' | 'write', place: FilePlace, work: () => number): number {
  try {
    return work();
  } catch (error) {
    throw new Failed({ kind: 'failed', act, ...place, message: String(error), code: systemCode(error) });
  }
}
