import { createHash } from 'node:crypto';
import { hexOf, refuseOther, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { ObjectStore, SentPart, StoredHead, UploadName } from '../store/port.ts';
import type { OpenFile } from './hash-range.ts';
import { checksumOf, PART_SIZE_KEY, promiseOf, SHA256_KEY } from './object-digest.ts';
import { partsOf, partSizeOf } from './part-size.ts';
import { readParts, type Fingerprint, type ReadPart } from './read-parts.ts';

/** What a file became in a bucket. */
export interface PublishedObject {
  readonly key: string;
  readonly size: number;
  readonly digest: string;
  /** `unchanged`: the very same object was there. */
  readonly outcome: 'sent' | 'unchanged';
  readonly sentBytes: number;
  /** Of an interrupted run: compared by checksum, not sent again. */
  readonly keptBytes: number;
}

export interface TransferOptions {
  /** Requests at once. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are now at their place, sent or kept; negative when they have to be sent again. */
  readonly onBytes?: (count: number) => void;
  /** Buffers that transfers of one run share, so that many small ones do not each ask for their own. */
  readonly buffers?: Buffer[];
  /** What the bytes have to be; no object appears when they are not. */
  readonly expected?: Digest;
}

type Work = TransferOptions & { readonly signal: AbortSignal | undefined; readonly onBytes: (count: number) => void };

const CONNECTIONS = 4;

/** The parts that arrived earlier are of another file. */
class OtherFile extends Error {}

/**
 * Sends a file as one object, in parts, several at once, reading it once. Interrupted, the same call goes on: parts that arrived with
 * the checksum they have here are not sent again. The object appears only when it is whole, and what the store then says of it is
 * compared.
 * @throws DeliverError E_STORE*, E_FILE_UNREADABLE; E_DIGEST when the store holds something else than was sent
 */
export async function publishObject(
  store: ObjectStore,
  key: string,
  file: OpenFile,
  options: TransferOptions = {},
): Promise<PublishedObject> {
  const work: Work = { ...options, signal: options.signal, onBytes: options.onBytes ?? (() => undefined) };
  const found = await store.head(key, work.signal);
  if (found?.size === file.size && promiseOf(found, partSizeOf(file.size)) !== undefined) {
    const print = await measure(file, work);
    refuseUnexpected(file, print, work.expected);
    if (difference(print, found) === undefined) {
      work.onBytes(file.size);
      return { key, size: file.size, digest: print.digest, outcome: 'unchanged', sentBytes: 0, keptBytes: 0 };
    }
  }
  const isOnePart = partsOf(file.size).length === 1;
  const { print, keptBytes } = isOnePart ? await sendWhole(store, key, file, work) : await sendParts(store, key, file, work);
  const why = difference(print, await store.head(key, work.signal));
  if (why !== undefined) throw otherThanSent(store.nameOf(key), why);
  return { key, size: file.size, digest: print.digest, outcome: 'sent', sentBytes: file.size - keptBytes, keptBytes };
}

interface Sent {
  readonly print: Fingerprint;
  readonly keptBytes: number;
}

async function sendWhole(store: ObjectStore, key: string, file: OpenFile, work: Work): Promise<Sent> {
  const print = await readParts(file, readOptions(work), async ({ bytes, sha256 }, signal) => {
    const digest = Buffer.from(sha256, 'base64').toString('hex');
    refuseUnexpected(file, { digest: `sha256:${digest}`, size: bytes.byteLength }, work.expected);
    await store.put(key, bytes, { [SHA256_KEY]: digest }, signal);
    work.onBytes(bytes.byteLength);
  });
  return { print, keptBytes: 0 };
}

async function sendParts(store: ObjectStore, key: string, file: OpenFile, work: Work): Promise<Sent> {
  const pending = await store.uploads.find(key, work.signal);
  if (pending !== undefined) {
    try {
      if (pending.parts.length > 0) return await fillUpload(store, { key, id: pending.id }, pending.parts, file, work);
    } catch (error) {
      if (!(error instanceof OtherFile)) throw error;
    }
    await store.uploads.abort({ key, id: pending.id }, work.signal);
  }
  return fillUpload(store, await begin(store, key, file, work), [], file, work);
}

/** Where the store keeps no checksums, the object has to say from its beginning what it will be. */
async function begin(store: ObjectStore, key: string, file: OpenFile, work: Work): Promise<UploadName> {
  const known = work.expected === undefined ? {} : { [SHA256_KEY]: hexOf(work.expected) };
  const metadata = { ...known, [PART_SIZE_KEY]: String(partSizeOf(file.size)) };
  const { id, keepsSha256 } = await store.uploads.begin(key, metadata, work.signal);
  if (keepsSha256 || work.expected !== undefined) return { key, id };
  await store.uploads.abort({ key, id }, work.signal);
  const { digest } = await measure(file, work);
  return { key, id: (await store.uploads.begin(key, { [SHA256_KEY]: hexOf(digest) }, work.signal)).id };
}

/** @throws OtherFile when a part that arrived is not what it is here */
async function fillUpload(
  store: ObjectStore,
  upload: UploadName,
  arrived: readonly SentPart[],
  file: OpenFile,
  work: Work,
): Promise<Sent> {
  const there = new Map(arrived.map((part) => [part.number, part]));
  const sent: SentPart[] = [];
  let keptBytes = 0;
  let counted = 0;
  const print = await readParts(file, readOptions(work), async (part, signal) => {
    const kept = there.get(part.number);
    if (kept !== undefined && !isSame(part, kept)) throw new OtherFile();
    if (kept !== undefined) keptBytes += part.size;
    sent.push(kept ?? (await store.uploads.send(upload, part, signal)));
    counted += part.size;
    work.onBytes(part.size);
  }).catch((error: unknown) => {
    if (error instanceof OtherFile) work.onBytes(-counted);
    throw error;
  });
  try {
    refuseUnexpected(file, print, work.expected);
  } catch (error) {
    await store.uploads.abort(upload, work.signal);
    throw error;
  }
  await store.uploads.complete(
    upload,
    sent.toSorted((a, b) => a.number - b.number),
    work.signal,
  );
  return { print, keptBytes };
}

function isSame({ bytes, sha256 }: ReadPart, sent: SentPart): boolean {
  if (bytes.byteLength !== sent.size) return false;
  if (sent.sha256 !== undefined) return sent.sha256 === sha256;
  // Stores that keep no SHA-256 still name a part by its MD5 (RFC 1864 is what S3 took the ETag from).
  return sent.etag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex');
}

async function measure(file: OpenFile, work: Work): Promise<Fingerprint> {
  return readParts(file, readOptions(work), () => Promise.resolve());
}

function readOptions({ concurrency = CONNECTIONS, signal, buffers }: Work): Parameters<typeof readParts>[1] {
  return { concurrency, signal, ...(buffers === undefined ? {} : { buffers }) };
}

function refuseUnexpected(
  file: OpenFile,
  found: { readonly digest: string; readonly size: number },
  expected: Digest | undefined,
): void {
  if (expected !== undefined) refuseOther({ digest: expected, size: file.size }, found, file.path);
}

/** What about a stored object is not as it should be, undefined when all that it says is. */
function difference(print: Fingerprint, found: StoredHead | undefined): string | undefined {
  if (found === undefined) return 'there is no object';
  if (found.size !== print.size) return `it has ${String(found.size)} bytes, not ${String(print.size)}`;
  const promised = found.metadata[SHA256_KEY];
  if (promised !== undefined && promised !== hexOf(print.digest)) return 'its sha256 is another';
  const checksum = checksumOf(print.parts);
  return found.sha256 === undefined || found.sha256 === checksum ? undefined : `its checksum is ${found.sha256}, not ${checksum}`;
}

function otherThanSent(name: string, why: string): DeliverError {
  return new DeliverError('E_DIGEST', {
    what: `${name} is not what was sent.`,
    why,
    fix: 'Run the same command again: it sends everything anew.',
    // Not removed: it may be what somebody else sent under this name a moment ago.
    state: 'The object is there under its name; don’t use it.',
  });
}
