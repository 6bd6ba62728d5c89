import { join } from 'node:path';
import type { BlobOrigins } from '../bundle/blob-origin.ts';
import type { BundlePlan } from '../bundle/plan.ts';
import { readVerifyScript, verifyScriptPath } from '../bundle/verify-script.ts';
import type { WrittenBundle } from '../bundle/write-bundle.ts';
import { packObject } from '../bucket/pack-object.ts';
import { putSmall } from '../bucket/put-small.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Report } from '../core/report.ts';
import type { ObjectStore } from '../store/port.ts';

/** Where a bundle goes, with `verify.sh` beside it. */
export interface PackOutput {
  write(plan: BundlePlan, origins: BlobOrigins, work: { report: Report; signal: AbortSignal }): Promise<WrittenBundle>;
}

export interface BucketPlace {
  readonly store: ObjectStore;
  /** In front of the names of objects; empty for none. */
  readonly prefix: string;
  /** Folder of the records that let an interrupted pack go on. */
  readonly journals: string;
}

/** Straight into a bucket: nothing of the bundle is kept on this machine. */
export function bucketOutput({ store, prefix, journals }: BucketPlace): PackOutput {
  return {
    async write(plan, origins, { report, signal }) {
      const key = prefix === '' ? plan.fileName : `${prefix}/${plan.fileName}`;
      const journal = join(journals, hexOf(digestOf(store.nameOf(key))));
      const { outcome, fetched } = await packObject(plan, store, key, origins, { report, signal, journal });
      await putSmall(store, verifyScriptPath(key), await readVerifyScript(), signal);
      return { outcome, path: store.nameOf(key), signatures: plan.signatures, fetched };
    },
  };
}
