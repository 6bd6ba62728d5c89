import { digestOf, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { isManifestType } from '../core/oci.ts';
import { parseReference } from '../core/reference.ts';
import { packChart } from './chart-folder.ts';
import type { Lock, LockedBlob, LockedChart } from './lock-schema.ts';
import type { ResolvePorts } from './resolve-chart.ts';
import { sourceLocation } from './resolve-file.ts';

/** Where the bytes of one digest come from. */
export interface ContentSource {
  /** For messages: a reference, URL or path. */
  readonly name: string;
  /** The bytes, not yet verified. @throws DeliverError E_SOURCE*, E_FILE_NOT_FOUND */
  open(signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Every digest of a lock with the place to get it from: manifests and blobs of images and charts, files.
 * @param folder absolute folder of the release file, for paths in the lock
 */
export function contentSources(lock: Lock, folder: string, ports: ResolvePorts): ReadonlyMap<Digest, ContentSource> {
  const pairs = [
    ...lock.files.map((file): [Digest, ContentSource] => [file.digest, fromFile(file.source, folder, ports)]),
    ...lock.charts.flatMap((chart) => fromChart(chart, folder, ports)),
    ...lock.images.flatMap((image) => fromRegistry(image.reference, [image, ...(image.manifests ?? []), ...image.blobs], ports)),
  ];
  // The first place that the lock names for a digest is the one that is asked.
  return new Map(pairs.toReversed());
}

function fromFile(source: string, folder: string, { files }: ResolvePorts): ContentSource {
  return { name: source, open: (signal) => files.open(sourceLocation(folder, source), signal) };
}

function fromRegistry(text: string, blobs: readonly LockedBlob[], { images }: ResolvePorts): [Digest, ContentSource][] {
  const reference = parseReference(text);
  return blobs.map((blob) => [
    blob.digest,
    inData(blob) ?? { name: `${text} (${blob.digest})`, open: (signal) => read(blob, signal) },
  ]);

  async function read({ digest, mediaType }: LockedBlob, signal: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> {
    const { reader, repository } = images.locate(reference);
    if (!isManifestType(mediaType)) return reader.blob(repository, digest, signal);
    return only((await reader.manifest(repository, digest, signal)).bytes);
  }
}

function fromChart(chart: LockedChart, folder: string, ports: ResolvePorts): [Digest, ContentSource][] {
  const { source } = chart;
  const blobs = [chart, ...chart.blobs];
  if (source.startsWith('oci://')) return fromRegistry(chart.reference, blobs, ports);
  const location = sourceLocation(folder, source);
  const archive: ContentSource = location.includes('://')
    ? fromFile(source, folder, ports)
    : { name: source, open: () => repacked(location, chart) };
  return blobs.map((blob) => [blob.digest, inData(blob) ?? archive]);
}

async function repacked(location: string, chart: LockedChart): Promise<AsyncIterable<Uint8Array>> {
  const { archive } = await packChart(location);
  const digest = digestOf(archive);
  if (chart.blobs.some((blob) => blob.digest === digest)) return only(archive);
  throw new DeliverError('E_LOCK_STALE', {
    what: `The chart ${chart.name} was changed since the lock was made.`,
    why: `${chart.source} packs to ${digest}, which the lock does not have.`,
    fix: 'Make the lock again with deliver resolve.',
  });
}

function inData(blob: LockedBlob): ContentSource | undefined {
  const { data } = blob;
  return data === undefined ? undefined : { name: 'the lock', open: async () => only(Buffer.from(data, 'base64')) };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
