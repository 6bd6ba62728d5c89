import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { digestOf, refuseOther, verified, type Digest } from '../core/digest.ts';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { TAR_BLOCK } from '../core/tar-header.ts';
import type { Bundle } from './bundle.ts';
import { fileSource, readAt, readRange, unreadable, type ByteSource } from './byte-source.ts';
import { carrySet, foreignFile } from './foreign.ts';
import { readFoundation } from './foundation.ts';
import { HashPool } from './hash-pool.ts';
import { planWithLockBytes, type BundlePlan } from './plan.ts';
import { readRoom, ROOM_SIZE } from './signature-room.ts';
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
 * @throws DeliverError E_BUNDLE, E_FILE_NOT_FOUND, E_FILE_UNREADABLE; E_NOT_YET for a carry set
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
  const { handle, size } = await openFile(path);
  try {
    const source = fileSource(handle, path, size);
    const foreign = foreignFile(path, await readAt(source, 0, TAR_BLOCK));
    if (foreign !== undefined) throw foreign;
    const plan = await readPlan(path, source);
    const { problems, foreign: forged } = await compareStructure(source, plan);
    if (forged) throw refused(path, problems);
    return { bundle: bundleOf(path, handle, source, plan), damage: problems };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readPlan(path: string, source: ByteSource): Promise<BundlePlan> {
  const foundation = await readFoundation(source);
  if ('problem' in foundation) {
    const found = await walkProblems(source, { offset: 0 });
    throw refused(path, [foundation.problem, ...found.filter((problem) => problem !== foundation.problem)]);
  }
  const { lock, lockBytes } = foundation;
  const empty = planWithLockBytes(lock, lockBytes, []);
  const roomAt = empty.members.find(({ owners }) => owners[0] === 'room for signatures')?.headerOffset ?? 0;
  const signatures = readRoom(await readAt(source, roomAt, ROOM_SIZE));
  return signatures.length === 0 ? empty : planWithLockBytes(lock, lockBytes, signatures);
}

function bundleOf(path: string, handle: FileHandle, source: ByteSource, plan: BundlePlan): Bundle {
  const blobs = new Map<Digest, { offset: number; size: number; mediaType: string }>();
  for (const { digest, offset, size, mediaType } of plan.members) {
    if (digest !== undefined && mediaType !== undefined) blobs.set(digest, { offset, size, mediaType });
  }
  const pool = new HashPool();
  const placeOf = (digest: Digest): { offset: number; size: number } => {
    const place = blobs.get(digest);
    if (place === undefined) throw new DeliverError('E_BUG', { what: `${digest} is asked for, but it is not in ${path}.` });
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
    async check(digest, onBytes, signal) {
      const { offset, size } = placeOf(digest);
      if (size < WORTH_A_THREAD) {
        for await (const chunk of this.stream(digest, signal, 'reused')) onBytes(chunk.byteLength);
        return;
      }
      const outcome = await pool.hash({ descriptor: handle.fd, offset, size }, onBytes, signal);
      if (outcome.kind === 'failed') throw unreadable(path, outcome.offset, outcome);
      refuseOther({ digest, size }, outcome, nameOf(path, offset, size));
    },
    async close() {
      await pool.close();
      await handle.close();
    },
  };
}

function nameOf(path: string, offset: number, size: number): string {
  return `${path}, bytes ${String(offset)} to ${String(offset + size)}`;
}

async function openFile(path: string): Promise<{ handle: FileHandle; size: number }> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw carrySet(path);
    if (!found.isFile())
      throw new DeliverError('E_BUNDLE', { what: `${path} is not a bundle.`, why: 'It is not a regular file.' });
    const handle = await open(path, constants.O_RDONLY);
    return { handle, size: found.size };
  } catch (error) {
    if (error instanceof DeliverError) throw error;
    const missing = systemCode(error) === 'ENOENT';
    throw new DeliverError(missing ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
      what: missing ? `There is no file ${path}.` : `${path} can't be read.`,
      why: messageOf(error),
      cause: error,
    });
  }
}

function refused(path: string, problems: readonly string[]): DeliverError {
  return new DeliverError('E_BUNDLE', {
    what: `${path} is not a bundle as deliver writes it.`,
    fix: 'Do not use it. Copy it again from the packager and compare the root digest.',
    state: 'Nothing was read from it beyond its structure.',
    ...(problems.length === 1 ? { why: problems[0] ?? '' } : { details: problems }),
  });
}
