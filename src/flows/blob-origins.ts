import { resolve } from 'node:path';
import type { BlobOrigins } from '../bundle/fetch-blobs.ts';
import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { parseReference } from '../core/reference.ts';
import { packChart } from '../lock/chart-folder.ts';
import type { Lock, LockedChart } from '../lock/lock-schema.ts';
import { sourceLocation } from '../lock/resolve-file.ts';
import type { ImageSource } from '../registry/port.ts';
import type { FileSource } from '../store/port.ts';

/** Where the connected side gets things. */
export interface ContentSources {
  readonly images: ImageSource;
  readonly files: FileSource;
  /** Absolute folder of the release file: where its relative paths start. */
  readonly folder: string;
}

interface Origin {
  /** `docker.io/library/busybox:1.36, blob sha256:…` */
  readonly name: string;
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

const OCI = 'oci://';

/** Where every blob of a lock is fetched: by digest, from what the lock names as its source; the first of those that share it. */
export function blobOrigins(lock: Lock, sources: ContentSources): BlobOrigins {
  const origins = new Map<Digest, Origin>();
  const add = (digest: Digest, origin: Origin): void => {
    if (!origins.has(digest)) origins.set(digest, origin);
  };
  const addArtifact = (
    reference: string,
    manifests: readonly { digest: Digest }[],
    blobs: readonly { digest: Digest; size: number }[],
  ): void => {
    for (const { digest } of manifests)
      add(digest, {
        name: `${reference}, manifest ${digest}`,
        open: (signal) => manifest(sources.images, reference, digest, signal),
      });
    for (const { digest, size } of blobs)
      add(digest, {
        name: `${reference}, blob ${digest}`,
        open: (signal) => blob(sources.images, reference, { digest, size }, signal),
      });
  };
  for (const file of lock.files) {
    add(file.digest, {
      name: `file ${file.name} (${file.source})`,
      open: (signal) => sources.files.open(sourceLocation(sources.folder, file.source), signal),
    });
  }
  for (const image of lock.images) addArtifact(image.reference, [image, ...(image.manifests ?? [])], image.blobs);
  for (const chart of lock.charts) {
    if (chart.source.startsWith(OCI)) addArtifact(chart.source.slice(OCI.length), [chart], chart.blobs);
    else for (const { digest } of chart.blobs) add(digest, chartArchive(chart, sources));
  }
  return {
    describe: (digest) => origins.get(digest)?.name ?? digest,
    open(digest, signal) {
      const origin = origins.get(digest);
      if (origin === undefined) throw new DeliverError('E_BUG', { what: `Nothing in the lock says where ${digest} comes from.` });
      return origin.open(signal);
    },
  };
}

/** Of a chart that deliver made into an artifact, only the archive comes from elsewhere: config and manifest are in the lock. */
function chartArchive(chart: LockedChart, { files, folder }: ContentSources): Origin {
  const isUrl = chart.source.includes('://');
  return {
    name: `chart ${chart.name} ${chart.version} (${chart.source})`,
    open: async (signal) =>
      isUrl ? files.open(chart.source, signal) : once((await packChart(resolve(folder, chart.source))).archive),
  };
}

async function manifest(
  images: ImageSource,
  reference: string,
  digest: Digest,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { reader, repository } = images.locate(parseReference(reference));
  return once((await reader.manifest(repository, digest, signal)).bytes);
}

async function blob(
  images: ImageSource,
  reference: string,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { reader, repository } = images.locate(parseReference(reference));
  return reader.blob(repository, digest, signal, size);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}
