import pLimit from 'p-limit';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import { fillVersions } from '../manifest/fill.ts';
import type { LoadedRelease } from '../manifest/load-release.ts';
import { checkedLock } from './check-lock.ts';
import type { Lock } from './lock-schema.ts';
import { neededFiles } from './needed-files.ts';
import { neededImages } from './needed-images.ts';
import { resolveChart, type ResolvePorts } from './resolve-chart.ts';
import { resolveFile } from './resolve-file.ts';
import { resolveImage } from './resolve-image.ts';

const CONCURRENCY = 8;

export interface ResolveOptions {
  /** An earlier lock; what it knows for certain is not asked for again. */
  readonly previous?: Lock | undefined;
  readonly signal?: AbortSignal;
  /** Called after each thing: how many of how many, and its name. */
  readonly onProgress?: (done: number, total: number, name: string) => void;
}

/**
 * The lock of a release: every image, chart and file by digest and size. Asks sources, writes nothing.
 * @throws DeliverError the one failure as it is, or several together with one line of details each
 */
export async function resolveRelease(loaded: LoadedRelease, ports: ResolvePorts, options: ResolveOptions = {}): Promise<Lock> {
  const release = fillVersions(loaded.release);
  const { platforms } = release;
  const previous = samePlatforms(options.previous, platforms) ? options.previous : undefined;
  const { folder } = loaded;
  const { signal } = options;
  const images = neededImages(release);
  const charts = release.charts ?? [];
  const files = neededFiles(release);
  const run = new Run(images.length + charts.length + files.length, options);

  const [lockedFiles, lockedCharts, lockedImages] = await Promise.all([
    run.all(
      files,
      ({ name, neededBy }) => ({ name, neededBy: [neededBy] }),
      (file) =>
        resolveFile(file, ports.files, { folder, signal, previous: previous?.files.find(({ name }) => name === file.name) }),
    ),
    run.all(
      charts,
      ({ name }) => ({ name: `chart ${name}`, neededBy: [] }),
      (chart) =>
        resolveChart(chart, ports, { folder, signal, previous: previous?.charts.find(({ name }) => name === chart.name) }),
    ),
    run.all(
      images,
      ({ key, neededBy }) => ({ name: key, neededBy }),
      (image) =>
        resolveImage(image, ports.images, {
          platforms,
          referrers: release.referrers === true,
          signal,
          previous: previous?.images.find(({ reference }) => reference === image.key),
        }),
    ),
  ]);
  run.refuseFailures();
  return checkedLock({
    apiVersion: 'deliver/v1',
    kind: 'Lock',
    metadata: release.metadata,
    platforms,
    files: lockedFiles,
    charts: lockedCharts,
    images: lockedImages,
    release,
  });
}

interface Named {
  readonly name: string;
  readonly neededBy: readonly string[];
}

/** Does all the work with bounded concurrency, and remembers what failed instead of stopping at the first. */
class Run {
  readonly #limit = pLimit(CONCURRENCY);
  readonly #failures: (Named & { readonly error: DeliverError })[] = [];
  readonly #total: number;
  readonly #options: ResolveOptions;
  #done = 0;

  constructor(total: number, options: ResolveOptions) {
    this.#total = total;
    this.#options = options;
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

function samePlatforms(lock: Lock | undefined, platforms: readonly string[]): boolean {
  return lock?.platforms.join(' ') === platforms.join(' ');
}
