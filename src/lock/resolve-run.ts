import pLimit from 'p-limit';
import { DeliverError, isDeliverError } from '../core/errors.ts';

const CONCURRENCY = 8;

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called after each thing: how many of how many, and its name. */
  readonly onProgress?: (done: number, total: number, name: string) => void;
}

export interface Named {
  readonly name: string;
  readonly neededBy: readonly string[];
}

/** Does all the work with bounded concurrency, and remembers what failed instead of stopping at the first. */
export class ResolveRun {
  readonly #limit = pLimit(CONCURRENCY);
  readonly #failures: (Named & { readonly error: DeliverError })[] = [];
  #total: number;
  readonly #options: RunOptions;
  #done = 0;

  constructor(total: number, options: RunOptions) {
    this.#total = total;
    this.#options = options;
  }

  /** More things became known than at the start. */
  expect(more: number): void {
    this.#total += more;
  }

  async all<In, Out>(items: readonly In[], describe: (item: In) => Named, work: (item: In) => Promise<Out>): Promise<Out[]> {
    const results = await Promise.all(items.map((item) => this.#limit(() => this.#one(describe(item), () => work(item)))));
    return results.flat();
  }

  async #one<Out>(named: Named, work: () => Promise<Out>): Promise<Out[]> {
    this.#options.signal?.throwIfAborted();
    try {
      return [await work()];
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isDeliverError(error) || error.code === 'E_BUG') throw error;
      this.#failures.push({ ...named, error });
      return [];
    } finally {
      this.#done += 1;
      this.#options.onProgress?.(this.#done, this.#total, named.name);
    }
  }

  refuseFailures(): void {
    const [first, ...others] = this.#failures.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (first === undefined) return;
    const { error } = first;
    const state = 'Nothing was written.';
    if (others.length === 0)
      throw error.with({
        state,
        details: [...(error.facts.details ?? []), ...first.neededBy.map((place) => `needed by ${place}`)],
      });
    throw new DeliverError(error.code, {
      what: `${this.#failures.length} of ${this.#total} things of this release can’t be resolved.`,
      details: this.#failures.map(lineOf),
      state,
      cause: error,
    });
  }
}

function lineOf({ error, neededBy }: Named & { readonly error: DeliverError }): string {
  const { what, why } = error.facts;
  const places = neededBy.length === 0 ? '' : `  (needed by ${neededBy.join('; ')})`;
  return `${what}${why === undefined ? '' : ` ${why}`}${places}  [${error.code}]`;
}
