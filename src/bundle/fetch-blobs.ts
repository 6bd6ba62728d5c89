import { bytesText } from '../core/amounts.ts';
import { Verifier } from '../core/digest.ts';
import { isDeliverError, messageOf } from '../core/errors.ts';
import { isManifestType } from '../core/oci.ts';
import type { Report } from '../core/report.ts';
import type { BlobOrigins, WantedBlob } from './blob-origin.ts';
import { bringBlob } from './bring-blob.ts';
import { readRange } from './byte-source.ts';
import { Lanes } from './lanes.ts';
import type { NearBlobs } from './near-blobs.ts';
import type { PartFile } from './part-file.ts';
import type { BundlePlan, PlannedMember } from './plan.ts';
import type { Spread } from './spread.ts';
import { WritePool } from './write-pool.ts';

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

interface Work {
  /** Blobs in flight at first, and blobs or ranges at most. */
  readonly lanes: { readonly first: number; readonly most: number };
  readonly report: Report;
  /** Earlier bundles that are asked first. */
  readonly near?: NearBlobs;
  /** Fired here at the first failure, so that the other blobs stop. */
  readonly stop: AbortController;
}

/** Blobs that are copied at once from earlier bundles: one for each thread that hashes. */
const COPIERS = 2;

/**
 * Brings every blob that is not known yet to its place, several at once: manifests first, so that an image that is gone
 * is met early, then the big ones, so that none is left to the end. Where one connection is slow, more of them are in flight,
 * at the end also several for one blob.
 * @throws what the first failing blob threw
 */
export async function fetchBlobs(
  plan: BundlePlan,
  part: PartFile,
  origins: BlobOrigins,
  { lanes: { first, most }, report, near, stop }: Work,
): Promise<Fetched> {
  const wanted = plan.members.filter(isWanted).sort(byUrgency);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  const isNear = ({ digest }: WantedBlob): boolean => near?.has(digest) === true;
  const queue = wanted.filter((member) => !isNear(member));
  const nearby = wanted.filter(isNear);
  const pool = new WritePool(part.bytes);
  const lanes = new Lanes(first, most);
  const spreads = new Set<Spread>();
  const tally = { fetchedBlobs: 0, fetchedBytes: 0, keptBlobs: 0, keptBytes: 0, nearBlobs: 0, nearBytes: 0 };
  let done = 0;
  let inFlight = 0;
  let undecided = nearby.length;
  const onBytes = (count: number): void => {
    done += count;
    part.received(count);
    const taken = tally.nearBytes === 0 ? '' : ` · ${bytesText(tally.nearBytes)} taken from ${near?.name ?? ''}`;
    report.progress({ done, total, unit: 'bytes', detail: `${String(inFlight)} in flight${taken}` });
  };
  const isKept = async (member: WantedBlob): Promise<boolean> => {
    if (!part.journal.finished.has(member.digest) || !(await isInPlace(part, member, stop.signal))) return false;
    tally.keptBlobs += 1;
    tally.keptBytes += member.size;
    onBytes(member.size);
    return true;
  };
  const copied = async (member: WantedBlob): Promise<boolean> => {
    if ((await near?.copy(member, part.bytes, onBytes, stop.signal)) !== true) return false;
    await part.journal.append(member.digest);
    tally.nearBlobs += 1;
    tally.nearBytes += member.size;
    // So that it is said.
    onBytes(0);
    return true;
  };
  /** Beside the lanes, which are for what has a way to come. What is damaged there is left to them. */
  const copier = async (): Promise<void> => {
    for (let member = nearby.shift(); member !== undefined && !stop.signal.aborted; member = nearby.shift()) {
      try {
        if (!(await isKept(member)) && !(await copied(member))) queue.push(member);
      } catch (error) {
        stop.abort(error);
      } finally {
        undecided -= 1;
        lanes.tellChange();
      }
    }
  };
  const one = async (member: WantedBlob): Promise<void> => {
    if (await isKept(member)) return;
    await bringBlob(member, origins, { file: part.bytes, pool, lanes, spreads, onBytes, signal: stop.signal });
    await part.journal.append(member.digest);
    tally.fetchedBlobs += 1;
    tally.fetchedBytes += member.size;
  };
  /** What a lane does next; undefined when it can only wait. */
  const next = (): (() => Promise<void>) | undefined => {
    const member = queue.shift();
    if (member !== undefined) return () => one(member);
    const largest = lanes.isSlow ? mostShareable(spreads) : undefined;
    return largest === undefined ? undefined : () => largest.help();
  };
  const lane = async (number: number): Promise<void> => {
    while (!stop.signal.aborted && queue.length + inFlight + undecided > 0) {
      const work = number < lanes.count ? next() : undefined;
      if (work === undefined) {
        await lanes.changed();
        continue;
      }
      inFlight += 1;
      try {
        await work();
      } catch (error) {
        stop.abort(error);
      } finally {
        inFlight -= 1;
        lanes.tellChange();
      }
    }
  };
  const copiers = Array.from({ length: Math.min(COPIERS, most) }, () => copier());
  await Promise.all([...copiers, ...Array.from({ length: most }, (_, number) => lane(number))]);
  lanes.close();
  await pool.close();
  if (stop.signal.aborted) throw firstReason(stop.signal);
  return { ...tally, nearFrom: tally.nearBlobs === 0 ? '' : (near?.name ?? '') };
}

function mostShareable(spreads: ReadonlySet<Spread>): Spread | undefined {
  const [best] = [...spreads].sort((a, b) => b.shareable - a.shareable);
  return best === undefined || best.shareable === 0 ? undefined : best;
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

async function isInPlace(part: PartFile, member: WantedBlob, signal: AbortSignal): Promise<boolean> {
  const source = part.bytes.source(part.path);
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
