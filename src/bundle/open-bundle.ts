import { digestOf, refuseOther, verified, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import type { Bundle } from './bundle.ts';
import { readAt, readRange, unreadable, type ByteSource } from './byte-source.ts';
import { foreignFile } from './foreign.ts';
import { findOmitted } from './find-omitted.ts';
import { readFoundation, type Foundation } from './foundation.ts';
import { HashPool } from './hash-pool.ts';
import { openSource, type OpenSource } from './open-source.ts';
import { planWithLockBytes, type BundlePlan } from './plan.ts';
import { refuseHalfSigned, withJournalHint } from './signature/sign-journal.ts';
import { readRoom, ROOM_SIZE } from './signature/signature-room.ts';
import { compareStructure } from './structure.ts';
import { walkProblems } from './walk.ts';

/** Bytes below which a thread would take longer to be told than to hash. */
const WORTH_A_THREAD = 512 * 1024;

/** A bundle whose lock could be read, with what else is damaged about its structure. */
export interface ExaminedBundle {
  readonly bundle: Bundle;
  readonly damage: readonly string[];
}

/**
 * Opens a bundle in place. Nothing but exactly the archive that its lock and signatures give is accepted.
 * @throws DeliverError E_BUNDLE, E_FILE_NOT_FOUND, E_FILE_UNREADABLE; E_CARRY, E_CARRY_DAMAGED for a carry set
 */
export async function openBundle(path: string): Promise<Bundle> {
  const { bundle, damage } = await examineBundle(path);
  if (damage.length === 0) return bundle;
  await bundle.close();
  throw refused(path, damage);
}

/**
 * The same for someone who wants to know all damage: a structure that was changed by accident is reported, not refused.
 * @throws DeliverError E_BUNDLE when the file is no bundle, is forged, or its lock can't be read
 */
export async function examineBundle(path: string): Promise<ExaminedBundle> {
  const opened = await openSource(path);
  try {
    const { source } = opened;
    const foreign = foreignFile(path, await readAt(source, 0, TAR_BLOCK));
    if (foreign !== undefined) throw foreign;
    const plan = await readPlan(path, source);
    const { problems, foreign: forged } = await compareStructure(source, plan);
    if (forged) throw refused(path, problems);
    // Every verb says it, also those that would list the damage: there is nothing to copy again.
    if (problems.length > 0) await refuseHalfSigned(path);
    return { bundle: bundleOf(path, opened, plan), damage: problems };
  } catch (error) {
    await opened.close();
    throw await withJournalHint(path, error);
  }
}

async function readPlan(path: string, source: ByteSource): Promise<BundlePlan> {
  const foundation = await readFoundation(source);
  if ('problem' in foundation) {
    const found = await walkProblems(source, { offset: 0 });
    throw refused(path, [foundation.problem, ...found.filter((problem) => problem !== foundation.problem)]);
  }
  const { lock, lockBytes, claimed } = foundation;
  const empty = planWithLockBytes(lock, lockBytes, []);
  const roomAt = roomOf(empty, foundation);
  const signatures = readRoom(await readAt(source, roomAt, ROOM_SIZE));
  if (claimed === undefined) return signatures.length === 0 ? empty : planWithLockBytes(lock, lockBytes, signatures);
  const omit = await findOmitted(source, empty, roomAt + ROOM_SIZE);
  const plan = planWithLockBytes(lock, lockBytes, signatures, { base: claimed.base, omit });
  if (omit.size === claimed.omitted) return plan;
  const [said, found] = [String(claimed.omitted), String(omit.size)];
  const { problems } = await compareStructure(source, plan);
  throw refused(path, [`index.json says that ${said} blobs are left out for the base; ${found} are`, ...problems]);
}

/** Byte at which the room for signatures begins: the index of a delta is longer than that of a full bundle. */
function roomOf({ members }: BundlePlan, { indexSize, claimed }: Foundation): number {
  const room = members.find(({ owners }) => owners[0] === 'room for signatures')?.headerOffset ?? 0;
  const planned = members.find(({ name }) => name === 'index.json')?.size ?? 0;
  return claimed === undefined ? room : room + paddedSize(indexSize) - paddedSize(planned);
}

function bundleOf(path: string, opened: OpenSource, plan: BundlePlan): Bundle {
  const { source } = opened;
  const blobs = new Map<Digest, { offset: number; size: number; mediaType: string }>();
  for (const { digest, offset, size, mediaType } of plan.members) {
    if (digest !== undefined && mediaType !== undefined) blobs.set(digest, { offset, size, mediaType });
  }
  const pool = new HashPool();
  const placeOf = (digest: Digest): { offset: number; size: number } => {
    const place = blobs.get(digest);
    if (place === undefined) throw notHere(path, plan, digest);
    return place;
  };
  return {
    path,
    size: source.size,
    root: plan.root,
    rootBytes: plan.rootBytes,
    lock: plan.lock,
    plan,
    signatures: plan.signatures,
    ...(plan.delta === undefined ? {} : { delta: plan.delta }),
    blobs,
    async bytes(digest) {
      const { offset, size } = placeOf(digest);
      const bytes = await readAt(source, offset, size);
      if (digestOf(bytes) === digest) return bytes;
      throw new DeliverError('E_DIGEST', {
        what: `${path} is damaged between bytes ${String(offset)} and ${String(offset + size)}.`,
        why: `expected ${digest}, got ${digestOf(bytes)}`,
        fix: 'Check the whole bundle with deliver verify, and copy it again.',
      });
    },
    stream(digest, signal, memory) {
      const { offset, size } = placeOf(digest);
      return verified(readRange(source, offset, size, signal, memory), { digest, size }, nameOf(path, offset, size));
    },
    range(digest, start, length, signal) {
      const { offset, size } = placeOf(digest);
      return readRange(source, offset + start, Math.min(length, size - start), signal, 'reused');
    },
    async check(digest, onBytes, signal) {
      const { offset, size } = placeOf(digest);
      const place = opened.place(offset, size);
      if (size < WORTH_A_THREAD || place === undefined) {
        for await (const chunk of this.stream(digest, signal, 'reused')) onBytes(chunk.byteLength);
        return;
      }
      const outcome = await pool.hash({ ...place, size }, onBytes, signal);
      if (outcome.kind === 'failed') throw unreadable(path, outcome.offset, outcome);
      refuseOther({ digest, size }, outcome, nameOf(path, offset, size));
    },
    async close() {
      await pool.close();
      await opened.close();
    },
  };
}

function notHere(path: string, { delta }: BundlePlan, digest: Digest): DeliverError {
  const omitted = delta?.omitted.find((blob) => blob.digest === digest);
  if (delta === undefined || omitted === undefined)
    return new DeliverError('E_BUG', { what: `${digest} is asked for, but it is not in ${path}.` });
  return new DeliverError('E_BASE_MISSING', {
    what: `${omitted.owners[0] ?? digest} is not in ${path}.`,
    why: `It is a delta: ${digest} came with ${delta.base.name} ${delta.base.version}.`,
    fix: 'Use the bundle of the whole release for this.',
  });
}

function nameOf(path: string, offset: number, size: number): string {
  return `${path}, bytes ${String(offset)} to ${String(offset + size)}`;
}

function refused(path: string, problems: readonly string[]): DeliverError {
  return new DeliverError('E_BUNDLE', {
    what: `${path} is not a bundle as deliver writes it.`,
    fix: 'Do not use it. Copy it again from the packager and compare the root digest.',
    state: 'Nothing was read from it beyond its structure.',
    ...(problems.length === 1 ? { why: problems[0] ?? '' } : { details: problems }),
  });
}
