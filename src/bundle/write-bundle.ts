import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import { isManifestType } from '../core/oci.ts';
import { SILENT, type Report } from '../core/report.ts';
import { fileSource, readRange } from './byte-source.ts';
import { existingBundle } from './existing-bundle.ts';
import { outputError } from './output-error.ts';
import { lockOutput } from './pack-lock.ts';
import { openPart, type PartFile } from './part-file.ts';
import { orAborted, placeBlob, type Placement } from './place-blob.ts';
import type { BundlePlan, PlannedMember } from './plan.ts';
import { Verifier } from '../core/digest.ts';

/** Where the blobs of a release come from. */
export interface BlobOrigins {
  /** For messages: `layer sha256:… of docker.io/library/busybox:1.36 from registry-1.docker.io`. */
  describe(digest: Digest): string;
  /** The bytes from the first one on, not yet verified. @throws DeliverError E_SOURCE* */
  open(digest: Digest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}
