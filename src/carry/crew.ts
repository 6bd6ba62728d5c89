import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';

/** More threads than this only wait for the disk; each costs about 15 MB. */
const MOST = 6;

/** How many threads are worth starting for so many streams of bytes. */
export function crewSize(streams: number): number {
  return Math.max(1, Math.min(MOST, availableParallelism(), streams));
}

/** The file of a thread's entry: TypeScript from source, JavaScript when installed. */
export function threadEntry(name: string, from: string): URL {
  return new URL(`./${name}.${from.endsWith('.ts') ? 'ts' : 'js'}`, from);
}

interface Asked<Answer> {
  readonly answered: PromiseWithResolvers<Answer>;
  readonly onCount: (count: number) => void;
}

/** What a thread says: how many bytes it has taken since it last spoke, or the answer to its oldest job. */
export type Said<Answer> = { readonly count: number } | { readonly answer: Answer };

/** Threads that are given jobs by number; each does its jobs in the order in which it got them. */
export class Crew<Job, Answer> {
  readonly size: number;
  readonly #threads: readonly Worker[];
  readonly #asked: readonly Asked<Answer>[][];
  #broken: Error | undefined;

  constructor(entry: URL, size: number, workerData?: unknown) {
    this.size = size;
    this.#asked = Array.from({ length: size }, () => []);
    this.#threads = Array.from({ length: size }, (_, thread) => {
      // It need not know what the process was told.
      const options = { env: {}, argv: [], workerData, resourceLimits: { maxYoungGenerationSizeMb: 2 } };
      return new Worker(entry, options)
        .on('message', (said: Said<Answer>) => {
          if ('count' in said) this.#asked[thread]?.[0]?.onCount(said.count);
          else this.#asked[thread]?.shift()?.answered.resolve(said.answer);
        })
        .on('error', (error: unknown) => {
          this.#fail(error instanceof Error ? error : new Error(messageOf(error)));
        })
        .on('exit', () => {
          this.#fail(new Error('a thread has ended'));
        });
    });
  }

  /** @param onCount told the bytes that a long job has taken so far, in portions */
  async ask(thread: number, job: Job, onCount: (count: number) => void = () => undefined): Promise<Answer> {
    if (this.#broken !== undefined) throw this.#broken;
    const answered = Promise.withResolvers<Answer>();
    // A job of a crew that fails may have nobody who waits for it.
    answered.promise.catch(() => undefined);
    this.#asked[thread]?.push({ answered, onCount });
    this.#threads[thread]?.postMessage(job);
    return answered.promise;
  }

  /** The same kind of job for every thread, all at once. */
  async askAll(job: (thread: number) => Job): Promise<readonly Answer[]> {
    return Promise.all(this.#threads.map((_, thread) => this.ask(thread, job(thread))));
  }

  /** Ends the threads: after it none of them reads or writes any more. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    for (const jobs of this.#asked) for (const { answered } of jobs.splice(0)) answered.reject(error);
  }
}
