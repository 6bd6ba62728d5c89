import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { buffersOf, InlineTarget, type BlobTarget } from './blob-target.ts';
import type { PartBytes } from './part-bytes.ts';

/** `turn` comes back with the answer. */
export type WriteJob = { readonly turn: number; readonly blob: number } & (
  | { readonly kind: 'put'; readonly descriptor: number; readonly bytes: Uint8Array; readonly position: number }
  | { readonly kind: 'digest' }
);

export interface WriteAnswer {
  readonly turn: number;
  readonly digest?: string;
  readonly failure?: { readonly message: string; readonly code: string | undefined };
}

/** Bytes gathered for one write; with the one under way, twice this is what a blob in flight holds in memory. */
const BATCH = 512 * 1024;
/** Bytes below which a thread would take longer to be told than to do it. */
const WORTH_A_THREAD = 1024 * 1024;
/** Two threads hash faster than one receives; each costs about 15 MB. */
const MOST = 2;
/** One core has nobody to hand the work to. */
const ENOUGH_CORES = 2;
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './write-worker.ts' : './write-worker.js', import.meta.url);

/** Threads that hash and write while this one receives; each starts when it is first needed. */
export class WritePool {
  readonly #file: PartBytes;
  readonly #threads: WriteThread[] = [];
  /** Of blobs that are done: left to the collector they would pile up. */
  readonly #spare: BlobTarget['buffers'][] = [];
  #blobs = 0;

  constructor(file: PartBytes) {
    this.#file = file;
  }

  /**
   * Where to put a blob of so many bytes; `done` when nothing more comes.
   * @param isCheap it arrives with so little effort that this thread can do the rest as well
   */
  target(size: number, isCheap = false): { readonly target: BlobTarget; readonly done: () => void } {
    if (size < WORTH_A_THREAD) {
      return { target: new InlineTarget(this.#file, buffersOf(Math.min(BATCH, size))), done: () => undefined };
    }
    const buffers = this.#spare.pop() ?? [shared(BATCH), shared(BATCH)];
    if (isCheap || availableParallelism() < ENOUGH_CORES) {
      return { target: new InlineTarget(this.#file, buffers), done: () => void this.#spare.push(buffers) };
    }
    const thread = this.#leastBusy();
    thread.blobs += 1;
    const done = (): void => {
      thread.blobs -= 1;
      this.#spare.push(buffers);
    };
    return { target: new ThreadTarget(thread, this.#blobs++, this.#file, buffers), done };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }

  #leastBusy(): WriteThread {
    const [best] = this.#threads.toSorted((a, b) => a.blobs - b.blobs);
    if (best !== undefined && (best.blobs === 0 || this.#threads.length === MOST)) return best;
    const thread = new WriteThread();
    this.#threads.push(thread);
    return thread;
  }
}

function shared(size: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(size));
}

class ThreadTarget implements BlobTarget {
  readonly #thread: WriteThread;
  readonly #blob: number;
  readonly #file: PartBytes;
  readonly buffers: BlobTarget['buffers'];

  constructor(thread: WriteThread, blob: number, file: PartBytes, buffers: BlobTarget['buffers']) {
    this.buffers = buffers;
    this.#thread = thread;
    this.#blob = blob;
    this.#file = file;
  }

  async put(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    for (const { descriptor, offset, size } of this.#file.pieces(position, bytes.byteLength)) {
      const part = bytes.subarray(done, done + size);
      await this.#thread.ask({ kind: 'put', blob: this.#blob, descriptor, bytes: part, position: offset });
      done += size;
    }
  }

  async digest(): Promise<string> {
    return (await this.#thread.ask({ kind: 'digest', blob: this.#blob })).digest ?? '';
  }
}

type Question = WriteJob extends infer Job ? (Job extends WriteJob ? Omit<Job, 'turn'> : never) : never;

class WriteThread {
  /** In hand now. */
  blobs = 0;
  // It need not know what the process was told.
  readonly #worker = new Worker(WORKER, { env: {}, argv: [], resourceLimits: { maxYoungGenerationSizeMb: 2 } });
  readonly #asked = new Map<number, PromiseWithResolvers<WriteAnswer>>();
  #turn = 0;
  #broken: Error | undefined;

  constructor() {
    this.#worker.on('message', (answer: WriteAnswer) => {
      const asked = this.#asked.get(answer.turn);
      this.#asked.delete(answer.turn);
      if (answer.failure === undefined) asked?.resolve(answer);
      else asked?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }));
    });
    this.#worker.on('error', (error: unknown) => {
      this.#fail(error instanceof Error ? error : new Error('a thread that writes has failed'));
    });
    this.#worker.on('exit', () => {
      this.#fail(new Error('a thread that writes has ended'));
    });
  }

  ask(question: Question): Promise<WriteAnswer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const turn = this.#turn++;
    const asked = Promise.withResolvers<WriteAnswer>();
    this.#asked.set(turn, asked);
    this.#worker.postMessage({ ...question, turn });
    return asked.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
