import { setMaxListeners } from 'node:events';
import type { BlobOrigins } from '../bundle/blob-origin.ts';
import type { Fetched } from '../bundle/fetch-blobs.ts';
import { isDeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Report } from '../core/report.ts';
import type { ObjectStore, SentPart, UploadName } from '../store/port.ts';
import { PartAssembler } from './assemble-parts.ts';
import { SHA256_KEY } from './object-digest.ts';
import type { MappedBlob, MappedPart, PartMap } from './part-map.ts';
import { placeInParts } from './place-in-parts.ts';
import type { SentContent, UploadJournal } from './upload-journal.ts';

/** Bytes of parts in memory, unless the four that one blob needs are more. */
const IN_MEMORY = 48 * 1024 * 1024;
const MOST_BLOBS = 3;

export type ChecksummedPart = SentPart & { readonly sha256: string };

export interface PackedParts {
  /** False when some of what was sent earlier turned out wrong: it is no longer trusted, and the call has to be made again. */
  readonly isWhole: boolean;
  /** To be completed; undefined when the object is one part and was put as it is. */
  readonly upload: UploadName | undefined;
  readonly parts: readonly ChecksummedPart[];
  readonly fetched: Fetched;
}

interface Target {
  readonly store: ObjectStore;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Brings every part of a bundle to the store that is not there yet. */
export async function packParts(
  map: PartMap,
  target: Target,
  journal: UploadJournal,
  origins: BlobOrigins,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
): Promise<PackedParts> {
  const { upload, listed } = await uploadFor(map, target, journal, signal);
  const parts = new Map<number, ChecksummedPart>();
  const kept = new Map<number, SentContent>();
  for (const part of listed) {
    const content = journal.parts.get(part.number);
    if (content === undefined || part.sha256 === undefined || content.sha256 !== part.sha256) continue;
    kept.set(part.number, content);
    parts.set(part.number, { ...part, sha256: part.sha256 });
  }
  const isUp = ({ member, segments }: MappedBlob): boolean =>
    journal.verified.has(member.digest) && segments.every(({ part }) => kept.has(part.number));
  const wanted = map.blobs.filter((blob) => !isUp(blob));
  const total = bytesOf(map.blobs);
  let done = total - bytesOf(wanted);
  report.progress({ done, total, unit: 'bytes' });

  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  setMaxListeners(0, both);
  const send = async (part: MappedPart, bytes: Buffer, content: SentContent): Promise<void> => {
    parts.set(part.number, await sendPart(part, bytes, content, { target, upload, listed, journal, signal: both }));
  };
  const partSize = map.parts[0]?.size ?? 0;
  const blobsAtOnce = Math.max(1, Math.min(MOST_BLOBS, Math.floor((Math.floor(IN_MEMORY / partSize) - 2) / 2)));
  const most = Math.min(2 * blobsAtOnce + 2, map.parts.length + 1);
  const assembler = new PartAssembler(partSize, most, (part, bytes, content) =>
    send(part, bytes, content).catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  both.addEventListener('abort', () => {
    assembler.fail(both.reason);
  });
  const different: number[] = [];
  const onBytes = (count: number): void => {
    done += count;
    report.progress({ done, total, unit: 'bytes' });
  };
  try {
    for (const part of map.parts) if (part.segments === 0 && !kept.has(part.number)) await assembler.known(part);
    await inParallel(wanted, blobsAtOnce, both, async (blob, blobSignal) => {
      try {
        const way = { origins, assembler, kept, onBytes, signal: blobSignal };
        const wrong = await placeInParts(blob, way);
        different.push(...wrong);
        if (wrong.length > 0) await journal.distrust(wrong);
        await journal.blob(blob.member.digest);
      } catch (error) {
        if (isDeliverError(error, 'E_DIGEST', 'E_SIZE')) await journal.distrust(blob.segments.map(({ part }) => part.number));
        assembler.fail(error);
        throw error;
      }
    });
  } catch (error) {
    assembler.fail(error);
    await assembler.settled().catch(() => undefined);
    throw error;
  }
  await assembler.settled();
  return {
    isWhole: different.length === 0,
    upload,
    parts: [...parts.values()].sort((a, b) => a.number - b.number),
    fetched: {
      fetchedBlobs: wanted.length,
      fetchedBytes: bytesOf(wanted),
      keptBlobs: map.blobs.length - wanted.length,
      keptBytes: total - bytesOf(wanted),
      ...{ nearBlobs: 0, nearBytes: 0, nearFrom: '' },
    },
  };
}

/** The upload that the journal names, if it is still there; else a new one. None for what fits into one request. */
async function uploadFor(
  map: PartMap,
  { store, key, metadata }: Target,
  journal: UploadJournal,
  signal: AbortSignal,
): Promise<{ readonly upload: UploadName | undefined; readonly listed: readonly SentPart[] }> {
  if (map.parts.length === 1) return { upload: undefined, listed: [] };
  if (journal.upload !== undefined) {
    const upload = { key, id: journal.upload };
    const listed = await store.uploads.parts(upload, signal);
    if (listed !== undefined) return { upload, listed };
  }
  const { id } = await store.uploads.begin(key, metadata, signal);
  await journal.begin(id);
  return { upload: { key, id }, listed: [] };
}

/** The journal first: what the store has then, the journal explains. */
async function sendPart(
  { number, size }: MappedPart,
  bytes: Buffer,
  content: SentContent,
  way: {
    readonly target: Target;
    readonly upload: UploadName | undefined;
    readonly listed: readonly SentPart[];
    readonly journal: UploadJournal;
    readonly signal: AbortSignal;
  },
): Promise<ChecksummedPart> {
  const { store, key, metadata } = way.target;
  const { sha256 } = content;
  if (way.upload === undefined) {
    const whole = { [SHA256_KEY]: Buffer.from(sha256, 'base64').toString('hex') };
    await store.put(key, bytes, { ...metadata, ...whole }, way.signal);
    return { number, size, sha256, etag: '' };
  }
  await way.journal.part(number, content);
  const there = way.listed.find((part) => part.number === number && part.sha256 === sha256);
  const sent = there ?? (await store.uploads.send(way.upload, { number, bytes, sha256 }, way.signal));
  return { ...sent, sha256 };
}

function bytesOf(blobs: readonly MappedBlob[]): number {
  return blobs.reduce((sum, { member }) => sum + member.size, 0);
}
