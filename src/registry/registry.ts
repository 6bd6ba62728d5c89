import { hasBlob, mountBlob } from './blobs.ts';
import { openTransfer } from './blob-transfer.ts';
import { readBlob } from './blob-read.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import type { RegistryOptions } from './options.ts';
import { linkReferrers, readReferrers } from './referrers.ts';
import type { RegistryReader, RegistryWriter } from './port.ts';
import { Session } from './session.ts';
import type { TransferThreads } from './transfer-threads.ts';
import { putBlob } from './upload.ts';

export interface Registry extends RegistryReader, RegistryWriter {
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * One OCI or Docker v2 registry over HTTP (distribution-spec 1.1). Nothing is sent before the first call.
 * @param threads receive for other registries too; without them it starts its own
 */
export function createRegistry(options: RegistryOptions, threads?: TransferThreads): Registry {
  const session = new Session(options, threads);
  return {
    manifest: (repository, reference, signal) => getManifest(session, repository, reference, signal),
    blob: (repository, digest, signal) => readBlob(session, repository, digest, signal),
    transfer: (repository, blob, place, signal) => openTransfer(session, { repository, ...blob }, place, signal),
    referrers: (repository, digest, signal) => readReferrers(session, repository, digest, signal),
    headManifest: (repository, reference, signal) => headManifest(session, repository, reference, signal),
    hasBlob: (repository, digest, signal) => hasBlob(session, repository, digest, signal),
    mountBlob: (repository, digest, from, signal) => mountBlob(session, repository, digest, from, signal),
    putBlob: (repository, blob, open, putOptions) => putBlob(session, repository, blob, open, putOptions),
    putManifest: (repository, reference, mediaType, bytes, signal) =>
      putManifest(session, repository, reference, mediaType, bytes, signal),
    linkReferrers: (repository, subject, referrers, signal) => linkReferrers(session, repository, subject, referrers, signal),
    close: () => session.close(),
  };
}
