import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Flow, Report } from '../core/report.ts';
import { lockContents } from '../lock/lock-contents.ts';
import { lockPath, readLock, writeLock } from '../lock/lock-file.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { proveClosed } from '../lock/prove-closed.ts';
import { resolveRelease } from '../lock/resolve-release.ts';
import { isStale, lockChanges } from '../lock/stale.ts';
import { manifestsChanged } from '../lock/stale-manifests.ts';
import { fillVersions } from '../manifest/fill.ts';
import { loadRelease } from '../manifest/load-release.ts';
import type { ContentSources } from './blob-origins.ts';
import { contentsText, proofText } from './contents-text.ts';
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
          const named = fillVersions(loaded.release).sources ?? {};
          const sources = { images: ports.images(named, folder, accounts), files: ports.files(named, folder), folder };
          const previous = await earlierLock(path);
          isNew =
            previous === undefined ||
            isStale(previous, loaded.release) ||
            (await manifestsChanged(previous, loaded, sources.files, signal));
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
          const { name, version } = lock.metadata;
          return { summary: `${name} ${version} · ${contentsText(lockContents(lock))}` };
        },
      },
      {
        id: 'prove',
        title: 'Proved closed',
        run: async (report) => {
          const { lock } = done(locked);
          proveClosed(lock);
          if (isNew && (await writeLock(path, lock)) === 'written') report.note(`lock written (${path}): review and commit it`);
          return { summary: proofText(lockContents(lock)) };
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

function done<T>(value: T | undefined): T {
  if (value === undefined) throw new DeliverError('E_BUG', { what: 'A step ran before the one that it needs.' });
  return value;
}
