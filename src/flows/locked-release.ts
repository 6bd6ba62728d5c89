import { countText } from '../core/amounts.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Flow, Report } from '../core/report.ts';
import { lockPath, readLock, writeLock } from '../lock/lock-file.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { proveClosed } from '../lock/prove-closed.ts';
import { resolveRelease } from '../lock/resolve-release.ts';
import { isStale, lockChanges } from '../lock/stale.ts';
import { manifestsChanged } from '../lock/stale-manifests.ts';
import { fillVersions } from '../manifest/fill.ts';
import { loadRelease } from '../manifest/load-release.ts';
import type { ContentSources } from './blob-origins.ts';
import type { ResolveFlowPorts } from './resolve.ts';

export interface LockedRelease {
  readonly lock: Lock;
  readonly sources: ContentSources;
}

/**
 * The lock of a release, proven closed: the one beside the release while the release is as it was, else a new one.
 * A tag that moved since is not looked for: that is what `deliver resolve` is for.
 */
export function lockedReleaseFlow(releasePath: string, ports: ResolveFlowPorts): Flow<LockedRelease> {
  const path = lockPath(releasePath);
  let locked: LockedRelease | undefined;
  let isNew = false;
  return {
    steps: [
      {
        id: 'resolve',
        title: 'Resolved',
        run: async (report, signal) => {
          const loaded = await loadRelease(releasePath);
          const { folder, accounts, notes = [] } = loaded;
          for (const line of notes) report.note(line);
          const images = ports.images(fillVersions(loaded.release).sources ?? {}, folder, accounts);
          const sources = { images, files: ports.files, folder };
          const previous = await earlierLock(path);
          isNew =
            previous === undefined ||
            isStale(previous, loaded.release) ||
            (await manifestsChanged(previous, loaded, ports.files, signal));
          const lock =
            previous === undefined || isNew
              ? await resolveRelease(loaded, sources, {
                  previous,
                  signal,
                  onProgress: into(report),
                  onNote: (line) => {
                    report.note(line);
                  },
                })
              : previous;
          if (!isNew) report.note(`lock unchanged (${path})`);
          for (const line of previous === undefined || !isNew ? [] : lockChanges(previous, lock)) report.note(line);
          locked = { lock, sources };
          return { summary: contentText(lock) };
        },
      },
      {
        id: 'prove',
        title: 'Proved closed',
        run: async (report) => {
          const { lock } = done(locked);
          const { workloads, images } = proveClosed(lock);
          if (isNew && (await writeLock(path, lock)) === 'written') report.note(`lock written (${path}): review and commit it`);
          return { summary: `${countText(workloads, 'workload')}, every one of ${countText(images, 'image')} is in the lock` };
        },
      },
    ],
    result: () => done(locked),
  };
}

async function earlierLock(path: string): Promise<Lock | undefined> {
  return readLock(path).catch((error: unknown) => {
    if (isDeliverError(error, 'E_LOCK_MISSING')) return undefined;
    throw error;
  });
}

function into(report: Report): (done: number, total: number, name: string) => void {
  return (finished, total, detail) => {
    report.progress({ done: finished, total, unit: 'items', detail });
  };
}

function contentText({ metadata, images, charts, files }: Lock): string {
  const content = [countText(images.length, 'image'), countText(charts.length, 'chart'), countText(files.length, 'file')].join(
    ', ',
  );
  return `${metadata.name} ${metadata.version} · ${content}`;
}

function done<T>(value: T | undefined): T {
  if (value === undefined) throw new DeliverError('E_BUG', { what: 'A step ran before the one that it needs.' });
  return value;
}
