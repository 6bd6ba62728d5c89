import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { isDeliverError } from '../core/errors.ts';
import { SILENT, type Report } from '../core/report.ts';
import { readRange } from './byte-source.ts';
import { HashPool } from './hash-pool.ts';
import { openBundle } from './open-bundle.ts';
import { openSource, type OpenSource } from './open-source.ts';
import type { PartBytes } from './part-bytes.ts';
import type { BundlePlan } from './plan.ts';
import { buffersOf, InlineTarget } from './blob-target.ts';
import { placeBlob, type Placement } from './place-blob.ts';

/** Where earlier bundles may lie. */
export interface NearWish {
  /** Every bundle in this folder is looked at, also those in volumes, in a folder that ends in .carry. */
  readonly folder?: string;
  /** Bundles, also as carry sets, that were named; each must be one. */
  readonly bundles?: readonly string[];
}

/** Blobs that earlier bundles on this machine have. */
export interface NearBlobs {
  /** The bundles that blobs are taken from, for the person. */
  readonly name: string;
  /** Whether one of them says that it has this. */
  has(digest: Digest): boolean;
  /**
   * Copies a blob to its place, hashing on the way, on another thread; false when no bundle has it, or its copy is damaged
   * or can't be read, which is told.
   * @throws errors of writing, as they are
   */
  copy(place: Placement, target: PartBytes, onBytes: (count: number) => void, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

interface Place {
  readonly from: OpenSource;
  readonly name: string;
  readonly offset: number;
}

/** Bundles of a folder that are opened at most, the newest: a folder of years should not take minutes to read. */
const MOST = 32;

/**
 * Looks into earlier bundles for what a plan wants: named ones first, then those of the folder, the newest first.
 * @throws DeliverError when a named bundle is none; in the folder such files are passed over
 */
export async function openNear(
  plan: BundlePlan,
  { folder, bundles = [] }: NearWish,
  report: Report = SILENT,
): Promise<NearBlobs> {
  const wanted = new Set(
    plan.members.flatMap(({ digest, content }) => (digest === undefined || content !== undefined ? [] : digest)),
  );
  const places = new Map<Digest, Place>();
  const sources: OpenSource[] = [];
  const names: string[] = [];
  const told = new Set<string>();
  const pool = new HashPool();
  const close = async (): Promise<void> => {
    await pool.close();
    await Promise.all(sources.splice(0).map((source) => source.close()));
  };
  const take = async (path: string): Promise<void> => {
    const bundle = await openBundle(path);
    await bundle.close();
    const found = [...bundle.blobs].filter(([digest]) => wanted.has(digest) && !places.has(digest));
    if (found.length === 0) return;
    // The file may be replaced from now on; what is read is hashed all the same.
    const from = await openSource(path);
    sources.push(from);
    names.push(shown(path));
    for (const [digest, { offset }] of found) places.set(digest, { from, name: path, offset });
  };
  try {
    for (const path of bundles) await take(path);
    for (const path of folder === undefined ? [] : await newestBundles(folder)) {
      if (places.size === wanted.size) break;
      await take(path).catch(passOver);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name: names.length > 2 ? `${String(names.length)} earlier bundles` : names.join(' and '),
    close,
    has: (digest) => places.has(digest),
    async copy({ digest, offset, size }, target, onBytes, signal) {
      const place = places.get(digest);
      if (place === undefined) return false;
      let counted = 0;
      const count = (bytes: number): void => {
        counted += bytes;
        onBytes(bytes);
      };
      if (await copyGood(place, { digest, offset, size }, target, count, { pool, signal })) return true;
      onBytes(-counted);
      if (!told.has(place.name)) report.note(damaged(place.name));
      told.add(place.name);
      return false;
    },
  };
}

/** Buffer for a blob that spans volumes, which no single thread can read by itself. */
const SPANNING_BATCH = 512 * 1024;

/** False when the bytes are not those that the digest promises, or can't be read. @throws errors of writing, as they are */
async function copyGood(
  { from, name, offset }: Place,
  place: Placement,
  target: PartBytes,
  onBytes: (count: number) => void,
  { pool, signal }: { readonly pool: HashPool; readonly signal: AbortSignal },
): Promise<boolean> {
  const { digest, size } = place;
  const whole = from.place(offset, size);
  const copyTo = target.place(place.offset, size);
  if (whole !== undefined && copyTo !== undefined) {
    const outcome = await pool.hash({ ...whole, size, copyTo }, onBytes, signal);
    if (outcome.kind === 'hashed') return outcome.size === size && outcome.digest === digest;
    if (outcome.writing) throw Object.assign(new Error(outcome.message), { code: outcome.code });
    return false;
  }
  try {
    await placeBlob(
      new InlineTarget(target, buffersOf(Math.min(SPANNING_BATCH, size))),
      place,
      readRange(from.source, offset, size, signal, 'reused'),
      name,
      onBytes,
      signal,
    );
    return true;
  } catch (error) {
    if (isDeliverError(error, 'E_DIGEST', 'E_SIZE', 'E_FILE_UNREADABLE', 'E_CARRY_DAMAGED')) return false;
    throw error;
  }
}

async function newestBundles(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(?:tar|carry)$/.test(name));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      return found?.isFile() === true || (found?.isDirectory() === true && name.endsWith('.carry'))
        ? [{ path, time: found.mtimeMs }]
        : [];
    }),
  );
  return files
    .flat()
    .sort((a, b) => b.time - a.time || (a.path < b.path ? -1 : 1))
    .slice(0, MOST)
    .map(({ path }) => path);
}

function passOver(error: unknown): void {
  if (!isDeliverError(error)) throw error;
}

function damaged(path: string): string {
  return `${shown(path)} is damaged: what it holds wrong is fetched instead; deliver verify says where.`;
}

function shown(path: string): string {
  const from = relative(process.cwd(), path);
  return from.startsWith('..') ? path : from;
}
