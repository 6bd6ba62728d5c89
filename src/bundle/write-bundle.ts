import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DeliverError } from '../core/errors.ts';
import { SILENT, type Report } from '../core/report.ts';
import { fileDestination, type Destination } from './destination.ts';
import type { BlobOrigins } from './blob-origin.ts';
import { fetchBlobs, type Fetched } from './fetch-blobs.ts';
import { openNear, type NearWish } from './near-blobs.ts';
import { outputError } from './output-error.ts';
import { lockOutput } from './pack-lock.ts';
import type { BundlePlan } from './plan.ts';
import type { SignatureBlob } from './signature/signature-room.ts';

export interface WriteOptions {
  /** Blobs or ranges in flight at once; when absent 4, where connections are slow up to 16. Memory is about 1 MiB for each. */
  readonly concurrency?: number;
  readonly report?: Report;
  readonly signal?: AbortSignal;
  /** Where it goes when not into one file. */
  readonly into?: Destination;
  /** Earlier bundles that may have blobs already. */
  readonly near?: NearWish;
}

export interface WrittenBundle {
  /** `unchanged`: the very same bundle was there, whole. */
  readonly outcome: 'written' | 'unchanged';
  readonly path: string;
  /** What the file carries; more than was planned when a gateway added its own. */
  readonly signatures: readonly SignatureBlob[];
  readonly fetched: Fetched;
}

/** Four saturate a fast network; more are opened only as long as that pays. */
const FIRST_LANES = 4;
const MOST_LANES = 16;

const NOTHING: Fetched = {
  fetchedBlobs: 0,
  fetchedBytes: 0,
  keptBlobs: 0,
  keptBytes: 0,
  nearBlobs: 0,
  nearBytes: 0,
  nearFrom: '',
};

/**
 * Writes the bundle of a plan to `path`: each blob straight to its final place in `path.part`, which gets its name when
 * all is there. Interrupted, the same call goes on and fetches no finished blob again.
 * @throws DeliverError E_DIGEST, E_SIZE, E_SOURCE*, E_DISK_FULL, E_OUTPUT, E_INTERRUPTED; the partial file stays
 */
export async function writeBundle(
  plan: BundlePlan,
  path: string,
  origins: BlobOrigins,
  options: WriteOptions = {},
): Promise<WrittenBundle> {
  const into = options.into ?? fileDestination(plan, resolve(path));
  const { target } = into;
  const { report = SILENT, concurrency } = options;
  const lanes = { first: concurrency ?? FIRST_LANES, most: concurrency ?? MOST_LANES };
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const interrupt = (): void => {
    stop.abort(interrupted());
  };
  options.signal?.addEventListener('abort', interrupt, { once: true });
  if (options.signal?.aborted === true) interrupt();
  let unlock: (() => Promise<void>) | undefined;
  try {
    stop.signal.throwIfAborted();
    await mkdir(dirname(target), { recursive: true });
    unlock = await lockOutput(target);
    const existing = await into.existing(report, stop.signal);
    if (existing !== undefined) return { outcome: 'unchanged', path: resolve(path), signatures: existing, fetched: NOTHING };
    const fetched = await writePart(plan, into, origins, { lanes, report, stop, wish: options.near ?? {} });
    return { outcome: 'written', path: resolve(path), signatures: plan.signatures, fetched };
  } catch (error) {
    throw outputError(target, error);
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
    await unlock?.();
  }
}

async function writePart(
  plan: BundlePlan,
  into: Destination,
  origins: BlobOrigins,
  work: {
    readonly lanes: { readonly first: number; readonly most: number };
    readonly report: Report;
    readonly stop: AbortController;
    readonly wish: NearWish;
  },
): Promise<Fetched> {
  const near = await openNear(plan, work.wish, work.report);
  const part = await into.open(work.report, work.stop.signal).catch(async (error: unknown) => {
    await near.close();
    throw error;
  });
  if (part.journal.note !== undefined) work.report.note(part.journal.note);
  try {
    const fetched = await fetchBlobs(plan, part, origins, { ...work, near });
    await part.finish();
    return fetched;
  } catch (error) {
    await part.close();
    const state = `What is there stays in ${part.path}, which is no bundle yet. The same command goes on from there.`;
    throw outputError(into.target, error).with({ state });
  } finally {
    await near.close();
  }
}

function interrupted(): DeliverError {
  return new DeliverError('E_INTERRUPTED', {
    what: 'The pack was interrupted.',
    fix: 'Run the same command again: it goes on where it stopped.',
  });
}
