import { hexOf, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { EMPTY_BLOB, type Descriptor } from '../core/oci.ts';
import { encodeTarHeader, paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { lockBlob, type MadeBlob } from './artifact.ts';
import { deltaFileName, withoutOmitted, type Delta, type PlannedDelta } from './delta.ts';
import { indexJson } from './index-json.ts';
import { releaseRoot } from './release-root.ts';
import { signatureRoom, type SignatureBlob } from './signature/signature-room.ts';

/** A member of the tar and its place; offsets and sizes are bytes from the start of the file. */
export interface PlannedMember {
  readonly name: string;
  readonly headerOffset: number;
  /** Where its content starts: right after the header block. */
  readonly offset: number;
  readonly size: number;
  readonly owners: readonly string[];
  readonly mediaType?: string;
  /** Absent for `oci-layout`, `index.json` and the filler, which are pinned by being recomputed. */
  readonly digest?: Digest;
  /** The bytes, when they are known without asking anyone. */
  readonly content?: Uint8Array;
}

/** Where every byte of a bundle lies: a pure function of the lock, the signatures and what a delta leaves out. */
export interface BundlePlan {
  /** `<name>-<version>.tar`, of a delta `<name>-<version>-since-<base>.tar`. */
  readonly fileName: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly lock: Lock;
  readonly root: Descriptor;
  readonly rootBytes: Uint8Array;
  readonly signatures: readonly SignatureBlob[];
  /** In file order. */
  readonly members: readonly PlannedMember[];
  /** What is left out, and which base has it; absent for a full bundle. */
  readonly delta?: PlannedDelta;
}

/** Two zero blocks end a tar; nothing follows them. */
export const END_SIZE = 2 * TAR_BLOCK;
const LAYOUT = Buffer.from('{"imageLayoutVersion":"1.0.0"}', 'utf8');

type Unplaced = Omit<PlannedMember, 'headerOffset' | 'offset'>;

/**
 * The layout of the bundle of a lock, before anything is fetched (design.md, promise 2).
 * @throws DeliverError E_BUNDLE when the lock contradicts itself or the signatures do not fit
 */
export function planBundle(lock: Lock, signatures: readonly SignatureBlob[], leftOut?: Delta): BundlePlan {
  return planWithLockBytes(lock, lockBlob(lock), signatures, leftOut);
}

/** The same for a lock that was read from a bundle: its bytes count, also when a newer deliver would write them otherwise. */
export function planWithLockBytes(
  lock: Lock,
  lockBytes: MadeBlob,
  signatures: readonly SignatureBlob[],
  leftOut?: Delta,
): BundlePlan {
  const { content, list, release } = releaseRoot(lock, lockBytes);
  const root = release.descriptor;
  const room = signatureRoom(root, signatures);
  const { carried, delta } = leftOut === undefined ? { carried: content } : withoutOmitted(lock, content, leftOut);
  const members = place([
    made('oci-layout', LAYOUT, 'image layout'),
    made('index.json', indexJson(lock, root, room.manifests, delta), 'index'),
    blob(release.descriptor, 'release manifest', release.bytes),
    blob(lockBytes.descriptor, 'lock', lockBytes.bytes),
    blob(list.descriptor, 'list of contents', list.bytes),
    blob(EMPTY_BLOB, 'empty config', Buffer.from('{}')),
    ...room.members.map(({ name, content, descriptor }) =>
      descriptor === undefined ? made(name, content, 'room for signatures') : blob(descriptor, 'signature', content),
    ),
    ...carried.map((part) => ({ ...part, name: blobName(part.digest) })),
  ]);
  refuseDuplicates(members, lock);
  const last = members.at(-1);
  const size = (last === undefined ? 0 : last.offset + paddedSize(last.size)) + END_SIZE;
  if (!Number.isSafeInteger(size))
    throw new DeliverError('E_BUNDLE', { what: 'The sizes in the lock add up to more than any file can hold.' });
  const fileName = delta === undefined ? `${lock.metadata.name}-${lock.metadata.version}.tar` : deltaFileName(lock, delta.base);
  return { fileName, size, lock, root, rootBytes: release.bytes, signatures, members, ...(delta === undefined ? {} : { delta }) };
}

/** The header block of a planned member. */
export function headerOf(member: PlannedMember): Uint8Array {
  return encodeTarHeader(member.name, member.size);
}

function place(members: readonly Unplaced[]): readonly PlannedMember[] {
  let at = 0;
  return members.map((member) => {
    const headerOffset = at;
    const offset = at + TAR_BLOCK;
    at = offset + paddedSize(member.size);
    return { ...member, headerOffset, offset };
  });
}

function made(name: string, content: Uint8Array, owner: string): Unplaced {
  return { name, content, size: content.length, owners: [owner] };
}

function blob(descriptor: Descriptor, owner: string, content: Uint8Array): Unplaced {
  const { digest, size, mediaType } = descriptor;
  return { name: blobName(digest), digest, size, mediaType, content, owners: [owner] };
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function refuseDuplicates(members: readonly PlannedMember[], lock: Lock): void {
  const twice = [...repeated(members.map(({ name }) => name)), ...repeated(lock.images.map(({ reference }) => reference))];
  if (twice.length === 0) return;
  throw new DeliverError('E_BUNDLE', { what: 'The same thing would be in the bundle twice.', details: twice });
}

function repeated(names: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}
