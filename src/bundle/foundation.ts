import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { messageOf } from '../core/errors.ts';
import { MEDIA } from '../core/oci.ts';
import { decodeTarHeader, paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import { LockSchema, type Lock } from '../lock/lock-schema.ts';
import type { MadeBlob } from './artifact.ts';
import { claimedBase, type ClaimedBase } from './base-annotation.ts';
import { readAt, type ByteSource } from './byte-source.ts';
import { quoted } from './walk.ts';

/** Bytes. A lock of 64 MiB pins some hundred thousand blobs. */
const MOST_LOCK = 64 * 1024 * 1024;
const MOST_INDEX = 64 * 1024 * 1024;
const MOST_MANIFEST = 4 * 1024 * 1024;

/** The lock as it lies in the archive; the place of everything else follows from it. */
export interface Foundation {
  readonly lock: Lock;
  readonly lockBytes: MadeBlob;
  /** Bytes of index.json, as its header says. */
  readonly indexSize: number;
  /** What index.json says it builds on; absent for a full bundle. */
  readonly claimed?: ClaimedBase;
}

export interface Problem {
  readonly problem: string;
}

/**
 * Reads up to the lock: past `oci-layout` and `index.json`, which are recomputed and compared later, to the release
 * manifest and the lock, both checked against the digests in their names. Of index.json only the base of a delta is taken.
 */
export async function readFoundation(source: ByteSource): Promise<Foundation | Problem> {
  const layout = await memberAt(source, 0, TAR_BLOCK);
  if ('problem' in layout) return layout;
  const index = await memberAt(source, layout.next, MOST_INDEX);
  if ('problem' in index) return index;
  if (layout.name !== 'oci-layout' || index.name !== 'index.json')
    return { problem: 'it does not begin with oci-layout and index.json' };
  const release = await contentAt(source, index.next, MOST_MANIFEST, 'release manifest');
  if ('problem' in release) return release;
  const found = await contentAt(source, release.next, MOST_LOCK, 'lock');
  const parsed = 'problem' in found ? found : parseLock(found.bytes);
  if ('problem' in parsed) return parsed;
  const claimed = claimedBase(await readAt(source, index.offset, index.size));
  if (claimed !== undefined && 'problem' in claimed) return claimed;
  return { ...parsed, indexSize: index.size, ...(claimed === undefined ? {} : { claimed }) };
}

interface Place {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Where the next header is. */
  readonly next: number;
}

async function memberAt(source: ByteSource, headerOffset: number, most: number): Promise<Place | Problem> {
  const header = decodeTarHeader(await readAt(source, headerOffset, TAR_BLOCK));
  if ('problem' in header) return { problem: `the header at byte ${String(headerOffset)} can't be read: ${header.problem}` };
  const offset = headerOffset + TAR_BLOCK;
  const next = offset + paddedSize(header.size);
  if (header.size > most)
    return { problem: `${quoted(header.name)} says ${String(header.size)} bytes; at its place at most ${String(most)} are read` };
  if (next > source.size)
    return { problem: `${quoted(header.name)} says ${String(header.size)} bytes, but the file ends before` };
  return { name: header.name, offset, size: header.size, next };
}

async function contentAt(
  source: ByteSource,
  headerOffset: number,
  most: number,
  role: string,
): Promise<{ bytes: Buffer; next: number } | Problem> {
  const place = await memberAt(source, headerOffset, most);
  if ('problem' in place) return place;
  const bytes = await readAt(source, place.offset, place.size);
  if (place.name !== `blobs/sha256/${hexOf(digestOf(bytes))}`)
    return { problem: `the ${role} at byte ${String(place.offset)} is not what its name promises` };
  return { bytes, next: place.next };
}

function parseLock(bytes: Buffer): Pick<Foundation, 'lock' | 'lockBytes'> | Problem {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const parsed = LockSchema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return {
        problem: `the lock is not one that this version of deliver knows: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
      };
    }
    // Two spellings of one lock would be two roots for one release.
    if (canonicalJson(json as Json) !== bytes.toString('utf8')) return { problem: 'the lock is not canonical JSON' };
    const descriptor = { mediaType: MEDIA.lock, digest: digestOf(bytes), size: bytes.length };
    return { lock: parsed.data, lockBytes: { descriptor, bytes } };
  } catch (error) {
    return { problem: `the lock can't be parsed: ${messageOf(error)}` };
  }
}
