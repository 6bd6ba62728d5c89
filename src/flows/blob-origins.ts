import { resolve } from 'node:path';
import type { BlobOrigins } from '../bundle/blob-origin.ts';
import type { Digest } from '../core/digest.ts';
import type { FilePlace, FileTransfer } from '../core/file-transfer.ts';
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
  readonly isFile?: true;
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** The same straight into a file. */
  transfer?(place: FilePlace, signal: AbortSignal): Promise<FileTransfer | undefined>;
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
        ...blob(sources.images, reference, { digest, size }),
      });
  };
  for (const file of lock.files) {
    add(file.digest, {
      name: `file ${file.name} (${file.source})`,
      isFile: true,
      open: (signal) => sources.files.open(sourceLocation(sources.folder, file.source), signal),
    });
  }
  for (const { reference, referrers = [], manifests = [], blobs, digest } of lock.images) {
    addArtifact(reference, [{ digest }, ...manifests], blobs);
    for (const referrer of referrers) addArtifact(reference, [referrer], referrer.blobs);
  }
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
    isFile: (digest) => origins.get(digest)?.isFile === true,
    transfer: async (digest, place, signal) => origins.get(digest)?.transfer?.(place, signal),
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

function blob(
  images: ImageSource,
  reference: string,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Pick<Origin, 'open' | 'transfer'> {
  const located = (): ReturnType<ImageSource['locate']> => images.locate(parseReference(reference));
  return {
    open: async (signal) => {
      const { reader, repository } = located();
      return reader.blob(repository, digest, signal);
    },
    transfer: async (place, signal) => {
      const { reader, repository } = located();
      return reader.transfer?.(repository, { digest, size }, place, signal);
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}
