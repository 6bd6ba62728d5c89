import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { systemCode } from '../core/errors.ts';
import type { TransferJob, TransferWord } from './transfer-words.ts';

/** Two threads take all that two cores give; each costs about 15 MB. */
const MOST = 2;
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './transfer-worker.ts' : './transfer-worker.js', import.meta.url);

export type Untold = TransferJob extends infer Job ? (Job extends TransferJob ? Omit<Job, 'id'> : never) : never;
type Failed = Extract<TransferWord, { kind: 'failed' }>;

/** Threads that receive blobs, of one registry or of many; each starts when it is first needed. */
export class TransferThreads {
  readonly #threads: TransferThread[] = [];

  /** The one with the least to do. */
  take(): TransferThread {
    const [best] = this.#threads.toSorted((a, b) => a.busy - b.busy);
    if (best !== undefined && (best.busy === 0 || this.#threads.length >= Math.min(MOST, availableParallelism()))) return best;
    const thread = new TransferThread();
    this.#threads.push(thread);
    return thread;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }
}

/** One of them: conversations by number, one for every connection and question. */
export class TransferThread {
  // It need not know what the process was told.
  readonly #worker = new Worker(WORKER, { env: {}, argv: [], resourceLimits: { maxYoungGenerationSizeMb: 2 } });
  readonly #heard = new Map<number, (word: TransferWord) => void>();
  #next = 0;
  #broken: Error | undefined;

  constructor() {
    this.#worker
      .on('message', (word: TransferWord) => {
        this.#heard.get(word.id)?.(word);
      })
      .on('error', (error: unknown) => {
        this.#fail(error instanceof Error ? error : new Error('a thread that receives has failed'));
      })
      .on('exit', () => {
        this.#fail(new Error('a thread that receives has ended'));
      })
      .unref();
  }

  /** Conversations that go on. */
  get busy(): number {
    return this.#heard.size;
  }

  /** Begins a conversation. @param heard told every word of it, also that the thread has ended */
  begin(job: Untold, heard: (word: TransferWord) => void): number {
    const id = this.#next++;
    this.#heard.set(id, heard);
    // Alone it must not keep the process alive, nor let it end while an answer is awaited.
    this.#worker.ref();
    if (this.#broken === undefined) this.tell(id, job);
    else heard(ended(id, this.#broken));
    return id;
  }

  tell(id: number, job: Untold): void {
    this.#worker.postMessage({ id, ...job });
  }

  finish(id: number): void {
    this.#heard.delete(id);
    if (this.#heard.size === 0) this.#worker.unref();
  }

  /** A question with one answer. */
  ask(job: Untold): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const id = this.begin(job, (word) => {
      if (word.kind === 'done') resolve(word.digest ?? '');
      else if (word.kind === 'failed') reject(failureOf(word));
    });
    return promise.finally(() => {
      this.finish(id);
    });
  }

  async close(): Promise<void> {
    this.#fail(Object.assign(new Error('the client was closed'), { code: 'UND_ERR_SOCKET' }));
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    for (const [id, heard] of this.#heard) heard(ended(id, error));
  }
}

/** The failure that a thread told, as an error with its code. */
export function failureOf({ message, code }: Failed): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

function ended(id: number, error: Error): Failed {
  return { id, kind: 'failed', reached: 0, message: error.message, code: systemCode(error), disk: true };
}
