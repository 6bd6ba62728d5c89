import { openBundle } from '../bundle/open-bundle.ts';
import { publishToPool, type PublishedRelease } from '../bucket/publish-pool.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import type { ObjectStore } from '../store/port.ts';

export interface PoolPublishResult extends PublishedRelease {
  /** `s3://bucket/prefix`. */
  readonly pool: string;
}

/** The blobs of a bundle that a pool lacks, and the lock of its release. */
export function publishPoolFlow(bundlePath: string, prefix: string, store: ObjectStore): Flow<PoolPublishResult> {
  let result: PublishedRelease | undefined;
  return {
    steps: [
      {
        id: 'publish',
        title: 'Published',
        async run(report, signal) {
          const bundle = await openBundle(bundlePath);
          try {
            let done = 0;
            const onBytes = (count: number): void => {
              done += count;
              report.progress({ done, total: bundle.size, unit: 'bytes' });
            };
            result = await publishToPool(store, prefix, bundle, { signal, onBytes });
          } finally {
            await bundle.close();
          }
          const sent = `${countText(result.sentBlobs, 'blob')}, ${bytesText(result.sentBytes)} sent`;
          const shared = `${countText(result.sharedBlobs, 'blob')}, ${bytesText(result.sharedBytes)} there already`;
          return { summary: `${result.release} · ${sent} · ${shared}`, changed: result.sentBlobs };
        },
      },
    ],
    result() {
      if (result === undefined) throw new DeliverError('E_BUG', { what: 'The step of publish did not run.' });
      return { pool: store.nameOf(prefix), ...result };
    },
  };
}
