import { bytesText } from '../core/amounts.ts';
import { Verifier, type Digest } from '../core/digest.ts';
import { isDeliverError, messageOf } from '../core/errors.ts';
import { isManifestType } from '../core/oci.ts';
import type { Report } from '../core/report.ts';
import { fileSource, readRange } from './byte-source.ts';
import type { NearBlobs } from './near-blobs.ts';
import type { PartFile } from './part-file.ts';
import { orAborted, placeBlob } from './place-blob.ts';
import type { BundlePlan, PlannedMember } from './plan.ts';
import { WritePool } from './write-pool.ts';

/** Where the blobs of a release come from. */
export interface BlobOrigins {
  /** For messages: `image docker.io/library/busybox:1.36, blob 2 of 3, from mirror.corp.example`. */
  describe(digest: Digest): string;
  /** The bytes from the first one on, not yet verified. A chunk need only be good until the next one is asked for. @throws DeliverError E_SOURCE* */
  open(digest: Digest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface Fetched {
  readonly fetchedBlobs: number;
  readonly fetchedBytes: number;
  /** Of an earlier run: hashed again, not fetched again. */
  readonly keptBlobs: number;
  readonly keptBytes: number;
  /** Copied from earlier bundles that are here, not fetched. */
  readonly nearBlobs: number;
  readonly nearBytes: number;
  /** Those bundles, for the person; empty when nothing was copied. */
  readonly nearFrom: string;
}

type WantedBlob = PlannedMember & { readonly digest: Digest };

interface Work {
  readonly concurrency: number;
  readonly report: Report;
  /** Earlier bundles that are asked first. */
  readonly near?: NearBlobs;
  /** Fired here at the first failure, so that the other blobs stop. */
  readonly stop: AbortController;
}

/**
 * Brings every blob that is not known yet to its place, several at once: manifests first, so that an image that is gone
 * is met early, then the big ones, so that none is left to the end.
 * @throws what the first failing blob threw
 */
export async function fetchBlobs(
  plan: BundlePlan,
  part: PartFile,
  origins: BlobOrigins,
  { concurrency, report, near, stop }: Work,
): Promise<Fetched> {
  const queue = plan.members.filter(isWanted).sort(byUrgency);
  const total = queue.reduce((sum, { size }) => sum + size, 0);
  const pool = new WritePool(part.handle);
  const tally = { fetchedBlobs: 0, fetchedBytes: 0, keptBlobs: 0, keptBytes: 0, nearBlobs: 0, nearBytes: 0 };
  let done = 0;
  let inFlight = 0;
  const onBytes = (count: number): void => {
    done += count;
    part.received(count);
    const taken = tally.nearBytes === 0 ? '' : ` · ${bytesText(tally.nearBytes)} taken from ${near?.name ?? ''}`;
    report.progress({ done, total, unit: 'bytes', detail: `${String(inFlight)} in flight${taken}` });
  };
  const one = async (member: WantedBlob): Promise<void> => {
    if (part.journal.finished.has(member.digest) && (await isInPlace(part, plan.size, member, stop.signal))) {
      tally.keptBlobs += 1;
      tally.keptBytes += member.size;
      onBytes(member.size);
      return;
    }
    if ((await near?.copy(member, part.handle, onBytes, stop.signal)) === true) {
      await part.journal.append(member.digest);
      tally.nearBlobs += 1;
      tally.nearBytes += member.size;
      return;
    }
    const source = origins.describe(member.digest);
    const { target, done: placed } = pool.target(member.size);
    try {
      const bytes = await orAborted(origins.open(member.digest, stop.signal), stop.signal);
      await placeBlob(target, member, bytes, source, onBytes, stop.signal);
    } catch (error) {
      throw named(error, source);
    } finally {
      placed();
    }
    await part.journal.append(member.digest);
    tally.fetchedBlobs += 1;
    tally.fetchedBytes += member.size;
  };
  const worker = async (): Promise<void> => {
    for (let member = queue.shift(); member !== undefined; member = queue.shift()) {
      stop.signal.throwIfAborted();
      inFlight += 1;
      try {
        await one(member);
      } catch (error) {
        stop.abort(error);
        throw error;
      } finally {
        inFlight -= 1;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(concurrency, queue.length) }, worker));
  await pool.close();
  if (workers.some(({ status }) => status === 'rejected')) throw firstReason(stop.signal);
  return { ...tally, nearFrom: tally.nearBlobs === 0 ? '' : (near?.name ?? '') };
}

/** Errors of a source, told with what was being fetched. */
function named(error: unknown, source: string): unknown {
  if (isDeliverError(error, 'E_DIGEST', 'E_SIZE')) {
    return error.with({
      fix: 'If the source was changed on purpose, run deliver resolve and review the lock; else ask who changed it.',
    });
  }
  if (!isDeliverError(error, 'E_SOURCE', 'E_SOURCE_AUTH', 'E_SOURCE_NOT_FOUND') || error.facts.what.includes(source))
    return error;
  return error.with({ what: `${source} can't be fetched: ${error.facts.what}` });
}

/** The failure that stopped the others, not one of those that it caused. */
function firstReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(messageOf(reason));
}

function isWanted(member: PlannedMember): member is WantedBlob {
  return member.digest !== undefined && member.content === undefined;
}

function byUrgency(a: WantedBlob, b: WantedBlob): number {
  return rank(a) - rank(b) || b.size - a.size;
}

function rank(member: WantedBlob): number {
  return isManifestType(member.mediaType ?? '') ? 0 : 1;
}

async function isInPlace(part: PartFile, fileSize: number, member: WantedBlob, signal: AbortSignal): Promise<boolean> {
  const source = fileSource(part.handle, part.path, fileSize);
  try {
    const verifier = new Verifier(member, part.path);
    for await (const chunk of readRange(source, member.offset, member.size, signal, 'reused')) verifier.update(chunk);
    verifier.finish();
    return true;
  } catch (error) {
    if (isDeliverError(error, 'E_DIGEST', 'E_SIZE')) return false;
    throw error;
  }
}
