import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';

/** A range of a file that is open in this process. */
export interface HashJob {
  readonly descriptor: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
  /** Where the same bytes are written on the way, before it is known that they are good. */
  readonly copyTo?: { readonly descriptor: number; readonly offset: number };
}

/** What a worker thread says; `count` is the number of bytes read since it last said something. */
export type HashAnswer =
  | { readonly kind: 'progress'; readonly count: number }
  /** `size`: fewer than asked for where the file ends. */
  | { readonly kind: 'hashed'; readonly count: number; readonly size: number; readonly digest: string }
  | {
      readonly kind: 'failed';
      readonly offset: number;
      readonly message: string;
      readonly code: string | undefined;
      /** It failed where the bytes are copied to, not where they are read. */
      readonly writing: boolean;
    };

type Outcome = Exclude<HashAnswer, { kind: 'progress' }>;

/** More threads than this only wait for the disk; each costs about 15 MB. */
const MOST = 6;
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url);

/** Threads that hash ranges of files, as many as there are cores; each starts when it is first needed. */
export class HashPool {
  readonly size = Math.min(MOST, availableParallelism());
  readonly #all: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #turns: ((worker: Worker) => void)[] = [];

  /** Hashes one range; jobs beyond the number of threads wait. Rejects when the signal fires; the thread is then ended. */
  async hash(job: HashJob, onBytes: (count: number) => void, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted();
    const worker = await this.#take();
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const abort = (): void => {
      reject(signal.reason);
    };
    const failed = (error: unknown): void => {
      reject(error instanceof Error ? error : new Error(messageOf(error)));
    };
    const heard = (answer: HashAnswer): void => {
      if (answer.kind !== 'failed') onBytes(answer.count);
      if (answer.kind !== 'progress') resolve(answer);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    worker.on('message', heard).on('error', failed);
    let whole = false;
    try {
      worker.postMessage(job);
      const outcome = await promise;
      whole = true;
      return outcome;
    } finally {
      signal.removeEventListener('abort', abort);
      worker.off('message', heard).off('error', failed);
      await this.#giveBack(worker, whole);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.splice(0).map((worker) => worker.terminate()));
    this.#idle.length = 0;
  }

  async #take(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.length < this.size) return this.#start();
    return new Promise((resolve) => this.#turns.push(resolve));
  }

  #start(): Worker {
    // Nothing is inherited that a thread need not know.
    const worker = new Worker(WORKER, { env: {}, argv: [], resourceLimits: { maxYoungGenerationSizeMb: 2 } });
    worker.on('error', () => undefined);
    this.#all.push(worker);
    return worker;
  }

  /** A thread that was left in the middle is still reading: its file may be closed next, so it has to go. */
  async #giveBack(worker: Worker, whole: boolean): Promise<void> {
    let next = worker;
    if (!whole) {
      this.#all.splice(this.#all.indexOf(worker), 1);
      await worker.terminate();
      if (this.#turns.length === 0) return;
      next = this.#start();
    }
    const turn = this.#turns.shift();
    if (turn === undefined) this.#idle.push(next);
    else turn(next);
  }
}
