import { createHash } from 'node:crypto';
import { DeliverError } from '../core/errors.ts';
import type { HashPool } from '../bundle/hash-pool.ts';
import { hexOf, refuseOther, type Digest } from '../core/digest.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { ObjectStore, SentPart, StoredHead } from '../store/port.ts';
import { fingerprint, type Fingerprint, type FingerprintedPart, type OpenFile } from './fingerprint.ts';
import { SHA256_KEY } from './object-digest.ts';
import { partsAtOnce, partSizeOf } from './part-size.ts';

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
  /** Bytes that are now at their place, sent or kept. */
  readonly onBytes?: (count: number) => void;
  /** Bytes that were hashed. */
  readonly onHashed?: (count: number) => void;
  /** Threads and memory that several transfers share, so that many small ones do not each ask for their own. */
  readonly workshop?: Workshop;
  /** What the bytes have to be; nothing is sent when they are not. */
  readonly expected?: Digest;
}

const CONNECTIONS = 4;

/** What transfers of one run share; whoever made the pool closes it. */
export interface Workshop {
  readonly pool: HashPool;
  /** Buffers of the smallest part's size that nobody uses now. */
  readonly buffers: Buffer[];
}

/**
 * Sends a file as one object, in parts, several at once. Interrupted, the same call goes on: parts that arrived with the checksum
 * they have here are not sent again. The object appears only when it is whole, and what the store then says of it is compared.
 * @throws DeliverError E_STORE*, E_FILE_UNREADABLE; E_DIGEST when the store holds something else than was sent
 */
export async function publishObject(
  store: ObjectStore,
  key: string,
  file: OpenFile,
  options: TransferOptions = {},
): Promise<PublishedObject> {
  const { signal, onBytes = () => undefined, onHashed = () => undefined } = options;
  const print = await fingerprint(file, onHashed, signal, options.workshop?.pool);
  if (options.expected !== undefined) refuseOther({ digest: options.expected, size: file.size }, print, file.path);
  const facts = { key, size: file.size, digest: print.digest };
  if (difference(print, await store.head(key, signal)) === undefined) {
    onBytes(file.size);
    return { ...facts, outcome: 'unchanged', sentBytes: 0, keptBytes: 0 };
  }
  if (print.parts.length === 1) {
    const buffers = options.workshop?.buffers ?? [];
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(options.workshop === undefined ? file.size : partSizeOf(file.size));
    const bytes = buffer.subarray(0, file.size);
    await fill(file, bytes, 0);
    await store.put(key, bytes, metadataOf(print), signal);
    buffers.push(buffer);
    onBytes(file.size);
    await mustBe(store, key, print, signal);
    return { ...facts, outcome: 'sent', sentBytes: file.size, keptBytes: 0 };
  }
  const keptBytes = await sendParts(store, key, file, print, { ...options, onBytes });
  await mustBe(store, key, print, signal);
  return { ...facts, outcome: 'sent', sentBytes: file.size - keptBytes, keptBytes };
}

async function sendParts(
  store: ObjectStore,
  key: string,
  file: OpenFile,
  print: Fingerprint,
  { concurrency = CONNECTIONS, signal, onBytes = () => undefined, workshop }: TransferOptions,
): Promise<number> {
  const { id, arrived } = await goOn(store, key, file, print, signal);
  const upload = { key, id };
  const sent = new Map(arrived.map((part) => [part.number, part]));
  const keptBytes = arrived.reduce((sum, { size }) => sum + size, 0);
  onBytes(keptBytes);
  const missing = print.parts.filter(({ number }) => !sent.has(number));
  const atOnce = partsAtOnce(file.size, concurrency);
  // Only very big objects have bigger parts than those that small ones leave behind.
  const buffers = partSizeOf(file.size) === partSizeOf(0) ? (workshop?.buffers ?? []) : [];
  await inParallel(missing, atOnce, signal, async (part, partSignal) => {
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(print.parts[0]?.size ?? part.size);
    const bytes = buffer.subarray(0, part.size);
    await fill(file, bytes, part.offset);
    sent.set(part.number, await store.uploads.send(upload, { number: part.number, bytes, sha256: part.sha256 }, partSignal));
    buffers.push(buffer);
    onBytes(part.size);
  });
  await store.uploads.complete(
    upload,
    [...sent.values()].sort((a, b) => a.number - b.number),
    signal,
  );
  return keptBytes;
}

/** The upload to go on with. One that holds other bytes belongs to another file of this name: it is given up. */
async function goOn(
  store: ObjectStore,
  key: string,
  file: OpenFile,
  print: Fingerprint,
  signal: AbortSignal | undefined,
): Promise<{ readonly id: string; readonly arrived: readonly SentPart[] }> {
  const pending = await store.uploads.find(key, signal);
  if (pending !== undefined) {
    const fits = await Promise.all(pending.parts.map((part) => isSame(file, print.parts[part.number - 1], part)));
    if (fits.length > 0 && fits.every(Boolean)) return { id: pending.id, arrived: pending.parts };
    await store.uploads.abort({ key, id: pending.id }, signal);
  }
  return { id: await store.uploads.begin(key, metadataOf(print), signal), arrived: [] };
}

async function isSame(file: OpenFile, expected: FingerprintedPart | undefined, sent: SentPart): Promise<boolean> {
  if (expected?.size !== sent.size) return false;
  if (sent.sha256 !== undefined) return sent.sha256 === expected.sha256;
  // Stores that keep no SHA-256 still name a part by its MD5 (RFC 1864 is what S3 took the ETag from).
  const bytes = Buffer.alloc(expected.size);
  await fill(file, bytes, expected.offset);
  return sent.etag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex');
}

async function fill({ path, handle, start = 0 }: OpenFile, target: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < target.byteLength;) {
    const { bytesRead } = await handle.read(target, done, target.byteLength - done, start + offset + done);
    if (bytesRead === 0) throw new DeliverError('E_FILE_UNREADABLE', { what: `${path} became shorter while it was being sent.` });
    done += bytesRead;
  }
}

function metadataOf({ digest }: Fingerprint): Record<string, string> {
  return { [SHA256_KEY]: hexOf(digest) };
}

/** What about a stored object is not as it should be, undefined when all is. */
function difference(print: Fingerprint, found: StoredHead | undefined): string | undefined {
  if (found === undefined) return 'there is no object';
  if (found.size !== print.size) return `it has ${String(found.size)} bytes, not ${String(print.size)}`;
  if (found.metadata[SHA256_KEY] !== hexOf(print.digest)) return 'its sha256 is another';
  if (found.sha256 === undefined || found.sha256 === checksumOf(print)) return undefined;
  return `its checksum is ${found.sha256}, not ${checksumOf(print)}`;
}

/** The checksum that S3 makes of an object: of its parts' checksums when there are several. */
function checksumOf({ parts }: Fingerprint): string {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first.sha256;
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(Buffer.from(sha256, 'base64'));
  return `${hash.digest('base64')}-${String(parts.length)}`;
}

async function mustBe(store: ObjectStore, key: string, print: Fingerprint, signal: AbortSignal | undefined): Promise<void> {
  const why = difference(print, await store.head(key, signal));
  if (why === undefined) return;
  throw new DeliverError('E_DIGEST', {
    what: `${store.nameOf(key)} is not what was sent.`,
    why,
    fix: 'Run the same command again: it sends everything anew.',
    // Not removed: it may be what somebody else sent under this name a moment ago.
    state: 'The object is there under its name; don’t use it.',
  });
}
