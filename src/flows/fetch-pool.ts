import { join } from 'node:path';
import { writeBundle, type WrittenBundle } from '../bundle/write-bundle.ts';
import { openPoolRelease, type PoolRelease } from '../bucket/pool-origins.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import type { ObjectStore } from '../store/port.ts';

export interface PoolFetchInput {
  readonly prefix: string;
  /** `<name>-<version>` */
  readonly release: string;
  readonly folder: string;
}

export interface PoolFetchResult {
  readonly path: string;
  readonly size: number;
  readonly root: string;
  readonly signatures: number;
  readonly outcome: WrittenBundle['outcome'];
  readonly fetched: WrittenBundle['fetched'];
}

/** The bundle of a release made again from its lock and the blobs of a pool: the same bytes as when it was packed. */
export function fetchPoolFlow({ prefix, release, folder }: PoolFetchInput, store: ObjectStore): Flow<PoolFetchResult> {
  let found: PoolRelease | undefined;
  let written: WrittenBundle | undefined;
  return {
    steps: [
      {
        id: 'look',
        title: 'Found',
        async run(_report, signal) {
          const { plan } = (found = await openPoolRelease(store, prefix, release, signal));
          return { summary: `${release} · ${bytesText(plan.size)} · ${plan.root.digest}` };
        },
      },
      {
        id: 'fetch',
        title: 'Fetched',
        async run(report, signal) {
          const { plan, origins } = needed(found);
          written = await writeBundle(plan, join(folder, plan.fileName), origins, { report, signal });
          const { fetchedBlobs, fetchedBytes } = written.fetched;
          const summary = `${written.path} · ${countText(fetchedBlobs, 'blob')}, ${bytesText(fetchedBytes)} fetched`;
          return { summary, changed: written.outcome === 'written' ? 1 : 0 };
        },
      },
    ],
    result() {
      const { plan } = needed(found);
      const { path, outcome, signatures, fetched } = needed(written);
      return { path, size: plan.size, root: plan.root.digest, signatures: signatures.length, outcome, fetched };
    },
  };
}

function needed<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new DeliverError('E_BUG', { what: 'The steps of fetch ran out of order.' });
  return value;
}
