import { planWithLockBytes, type BundlePlan } from '../bundle/plan.ts';
import type { SignatureBlob } from '../bundle/signature/signature-room.ts';
import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf, hexOf, isDigest, type Digest } from '../core/digest.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import { MEDIA } from '../core/oci.ts';
import { LockSchema } from '../lock/lock-schema.ts';
import type { ObjectStore } from '../store/port.ts';

/** Where the things of a pool lie below its prefix: blobs that releases share, and a lock per release. */
export interface PoolKeys {
  readonly blobs: string;
  readonly locks: string;
  /** Locks of releases that are being published now: what they name is needed too. */
  readonly pending: string;
  readonly marks: string;
  /** There while blobs are being deleted. */
  readonly sweep: string;
  blob(digest: Digest): string;
  lock(release: string): string;
  signatures(release: string): string;
  intent(root: Digest): string;
}

/** A blob of a release that has to be in the pool; the others are in the lock or made from it. */
export interface PoolBlob {
  readonly digest: Digest;
  readonly size: number;
}

export function poolKeys(prefix: string): PoolKeys {
  const base = prefix === '' ? '' : `${prefix}/`;
  return {
    blobs: `${base}blobs/sha256/`,
    locks: `${base}locks/`,
    pending: `${base}pending/`,
    marks: `${base}gc/marks.json`,
    sweep: `${base}gc/sweep.json`,
    blob: (digest) => `${base}blobs/sha256/${hexOf(digest)}`,
    lock: (release) => `${base}locks/${release}.lock.json`,
    signatures: (release) => `${base}locks/${release}.signatures.json`,
    intent: (root) => `${base}pending/${hexOf(root)}.lock.json`,
  };
}

/** The digest that a key below `blobs/` names, undefined for what is no blob of ours. */
export function digestOfKey(keys: PoolKeys, key: string): Digest | undefined {
  const digest = `sha256:${key.slice(keys.blobs.length)}`;
  return isDigest(digest) ? digest : undefined;
}

/**
 * The whole bundle of a lock as a pool keeps it: its bytes exactly as they travel in a bundle.
 * @throws DeliverError E_BUNDLE when it is no lock that this version knows
 */
export function planOfLock(name: string, bytes: Buffer, signatures: readonly SignatureBlob[]): BundlePlan {
  const refuse = (why: string): DeliverError =>
    new DeliverError('E_BUNDLE', { what: `${name} is not a lock that deliver knows.`, why });
  let json: Json;
  try {
    json = JSON.parse(bytes.toString('utf8')) as Json;
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const parsed = LockSchema.safeParse(json);
  if (!parsed.success) throw refuse(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  if (canonicalJson(json) !== bytes.toString('utf8')) throw refuse('It is not canonical JSON.');
  const descriptor = { mediaType: MEDIA.lock, digest: digestOf(bytes), size: bytes.length };
  return planWithLockBytes(parsed.data, { descriptor, bytes }, signatures);
}

/** The blobs of a whole bundle that a pool keeps. */
export function poolBlobs({ members }: BundlePlan): readonly PoolBlob[] {
  return members.flatMap(({ digest, size, content }) =>
    digest === undefined || content !== undefined ? [] : [{ digest, size }],
  );
}

/** A small object, whole; undefined when there is none. */
export async function readObject(store: ObjectStore, key: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const head = await store.head(key, signal);
  if (head === undefined) return undefined;
  if (head.size > MOST_READ)
    throw new DeliverError('E_STORE', { what: `${store.nameOf(key)} is too big to be what it should be.` });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.read(key, { etag: head.etag, size: head.size }, signal)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Bytes; as much as a lock in a bundle may have. */
const MOST_READ = 64 * 1024 * 1024;
