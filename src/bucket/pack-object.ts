import type { BlobOrigins } from '../bundle/blob-origin.ts';
import type { Fetched } from '../bundle/fetch-blobs.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import type { BundlePlan } from '../bundle/plan.ts';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import type { ObjectStore } from '../store/port.ts';
import { packParts, type PackedParts } from './pack-parts.ts';
import { digestOfPlan, partMap } from './part-map.ts';
import { checksumOf, PART_SIZE_KEY } from './object-digest.ts';
import { partSizeOf } from './part-size.ts';
import { openUploadJournal, type UploadJournal } from './upload-journal.ts';

/** Under which name an object says which bundle it is: `x-amz-meta-deliver-plan`, the digest of its plan. */
const PLAN_KEY = 'deliver-plan';

export interface PackedObject {
  readonly outcome: 'written' | 'unchanged';
  readonly fetched: Fetched;
}

export interface PackObjectOptions {
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Path of the record that lets the next run on this machine go on. */
  readonly journal: string;
}

/** Attempts to replace what an interrupted run sent from a source that gave wrong bytes. */
const ATTEMPTS = 3;

/**
 * Makes a bundle in a bucket, without a copy of it here: blobs stream into the parts that they fill. The object appears when every
 * blob was verified and every part is there. Interrupted, the same call goes on: parts that are up are not sent again, nor are blobs
 * fetched whose parts are all up.
 * @throws DeliverError E_STORE*, E_SOURCE*, E_DIGEST, E_SIZE; E_OUTPUT when another pack is at work
 */
export async function packObject(
  plan: BundlePlan,
  store: ObjectStore,
  key: string,
  origins: BlobOrigins,
  { report, signal, journal: journalPath }: PackObjectOptions,
): Promise<PackedObject> {
  await mkdir(dirname(journalPath), { recursive: true });
  const unlock = await lockOutput(journalPath);
  try {
    const identity = digestOfPlan(plan);
    const subject = { object: store.nameOf(key), plan: identity };
    const found = await store.head(key, signal);
    if (found?.size === plan.size && found.metadata[PLAN_KEY] === identity) {
      await (await openUploadJournal(journalPath, subject)).end();
      return { outcome: 'unchanged', fetched: nothing() };
    }
    const map = partMap(plan);
    const metadata = { [PLAN_KEY]: identity, [PART_SIZE_KEY]: String(partSizeOf(plan.size)) };
    const target = { store, key, metadata };
    for (let attempt = 1; ; attempt++) {
      const journal = await openUploadJournal(journalPath, subject);
      const packed = await packParts(map, target, journal, origins, { report, signal });
      if (packed.isWhole) return await finished(packed, plan, target, journal, signal);
      if (attempt === ATTEMPTS) throw neverWhole(store.nameOf(key));
      report.note('an interrupted run had sent wrong bytes: they are sent anew');
    }
  } catch (error) {
    if (signal.aborted || !isDeliverError(error)) throw error;
    const state = 'What was sent stays in the bucket as an unfinished upload, which is no bundle yet. The same command goes on.';
    throw error.with({ state: error.facts.state ?? state });
  } finally {
    await unlock();
  }
}

async function finished(
  { upload, parts, fetched }: PackedParts,
  plan: BundlePlan,
  { store, key }: { readonly store: ObjectStore; readonly key: string },
  journal: UploadJournal,
  signal: AbortSignal,
): Promise<PackedObject> {
  if (upload !== undefined) await store.uploads.complete(upload, parts, signal);
  const found = await store.head(key, signal);
  const checksum = checksumOf(parts.map(({ sha256 }) => sha256));
  const isThere = found?.size === plan.size && (found.sha256 === undefined || found.sha256 === checksum);
  await journal.end();
  if (isThere) return { outcome: 'written', fetched };
  throw new DeliverError('E_DIGEST', {
    what: `${store.nameOf(key)} is not what was sent.`,
    why: found === undefined ? 'There is no object.' : `Its checksum is ${found.sha256 ?? 'none'}, not ${checksum}.`,
    fix: 'Look who else writes to this bucket, then run the same command again: it sends everything anew.',
    state: 'What is there under its name is not to be used.',
  });
}

function neverWhole(name: string): DeliverError {
  return new DeliverError('E_DIGEST', {
    what: `${name}: the parts that were sent never became what the lock says.`,
    fix: 'Run the same command again; if it stays so, the source gives other bytes each time.',
  });
}

function nothing(): Fetched {
  return { fetchedBlobs: 0, fetchedBytes: 0, keptBlobs: 0, keptBytes: 0, nearBlobs: 0, nearBytes: 0, nearFrom: '' };
}
