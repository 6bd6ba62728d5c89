import { collectGarbage, type Collected } from '../bucket/collect.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import type { ObjectStore } from '../store/port.ts';

export interface CollectInput {
  readonly prefix: string;
  /** Milliseconds. */
  readonly window: number;
  readonly dryRun: boolean;
}

export interface CollectResult extends Collected {
  readonly pool: string;
  readonly dryRun: boolean;
}

/** Deletes from a pool what no published lock needs. */
export function collectFlow({ prefix, window, dryRun }: CollectInput, store: ObjectStore): Flow<CollectResult> {
  let collected: Collected | undefined;
  return {
    steps: [
      {
        id: 'collect',
        title: 'Collected',
        async run(_report, signal) {
          collected = await collectGarbage(store, prefix, { window, dryRun, signal });
          const { releases, keptBlobs, markedBlobs, deletedBlobs, deletedBytes } = collected;
          const summary = [
            `${countText(releases, 'release')} need ${countText(keptBlobs, 'blob')}`,
            `${countText(markedBlobs, 'blob')} marked`,
            `${countText(deletedBlobs, 'blob')}, ${bytesText(deletedBytes)} ${dryRun ? 'would be deleted' : 'deleted'}`,
          ].join(' · ');
          return { summary, ...(dryRun ? {} : { changed: deletedBlobs }) };
        },
      },
    ],
    result() {
      if (collected === undefined) throw new DeliverError('E_BUG', { what: 'The step of gc did not run.' });
      return { pool: store.nameOf(prefix), dryRun, ...collected };
    },
  };
}
