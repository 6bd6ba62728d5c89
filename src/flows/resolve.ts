import { countText } from '../core/amounts.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Flow, StepResult } from '../core/report.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { lockContents } from '../lock/lock-contents.ts';
import { lockPath, lockText, readLock, writeLock } from '../lock/lock-file.ts';
import { neededImages } from '../lock/needed-images.ts';
import { proveClosed } from '../lock/prove-closed.ts';
import { resolveRelease } from '../lock/resolve-release.ts';
import { lockChanges } from '../lock/stale.ts';
import { fillVersions } from '../manifest/fill.ts';
import { loadRelease, type LoadedRelease } from '../manifest/load-release.ts';
import type { Sources } from '../manifest/release-schema.ts';
import type { ImageSource } from '../registry/port.ts';
import type { FileSource } from '../store/port.ts';
import { contentsText, proofText } from './contents-text.ts';

export interface ResolveInput {
  readonly releasePath: string;
  /** Write nothing; fail when the lock is not what would be written. */
  readonly check?: boolean;
}

/**
 * Opens the registries of the connected side.
 * @param folder absolute folder of the release file, for `ca:` paths
 * @param accounts what a KubeKey Manifest says; they win over the docker config
 */
export type OpenImages = (sources: Sources, folder: string, accounts?: LoadedRelease['accounts']) => ImageSource;

/** Opens the web servers of the connected side. */
export type OpenFiles = (sources: Sources, folder: string) => FileSource;

export interface ResolveFlowPorts {
  readonly images: OpenImages;
  readonly files: OpenFiles;
}

export interface ResolveResult {
  readonly lock: Lock;
  readonly lockPath: string;
  readonly outcome: 'written' | 'unchanged';
}

/** `deliver resolve`: release manifest → lock file next to it. */
export function resolveFlow(input: ResolveInput, ports: ResolveFlowPorts): Flow<ResolveResult> {
  const path = lockPath(input.releasePath);
  let loaded: LoadedRelease | undefined;
  let lock: Lock | undefined;
  let outcome: ResolveResult['outcome'] | undefined;

  return {
    steps: [
      {
        id: 'read',
        title: 'Read',
        run: async (report) => {
          loaded = await loadRelease(input.releasePath);
          for (const line of [...(loaded.notes ?? []), ...adviceOn(loaded)]) report.note(line);
          const { name, version } = loaded.release.metadata;
          return { summary: `${name} ${version}` };
        },
      },
      {
        id: 'resolve',
        title: 'Resolved',
        run: async (report, signal) => {
          const from = done(loaded);
          const sources = fillVersions(from.release).sources ?? {};
          const images = ports.images(sources, from.folder, from.accounts);
          lock = await resolveRelease(
            from,
            { images, files: ports.files(sources, from.folder) },
            {
              previous: await earlierLock(path),
              signal,
              onNote: (line) => {
                report.note(line);
              },
              onProgress: (finished, total, detail) => {
                report.progress({ done: finished, total, unit: 'items', detail });
              },
            },
          );
          return { summary: `${contentsText(lockContents(lock))}${referrersText(lock)}` };
        },
      },
      {
        id: 'prove',
        title: 'Proved closed',
        run: async (report) => {
          proveClosed(done(lock));
          if (done(lock).charts.length > 0) report.note('Charts are not rendered: name the images that they run under images:.');
          return { summary: proofText(lockContents(done(lock))) };
        },
      },
      {
        id: 'write',
        title: input.check === true ? 'Checked' : 'Lock',
        run: async (): Promise<StepResult> => {
          outcome = input.check === true ? await checkLockFile(path, done(lock)) : await writeLock(path, done(lock));
          return { summary: outcome === 'written' ? path : `unchanged (${path})`, changed: outcome === 'written' ? 1 : 0 };
        },
      },
    ],
    result: () => ({ lock: done(lock), lockPath: path, outcome: done(outcome) }),
  };
}

/** An earlier lock only saves requests: one that can't be used is as good as none. */
async function earlierLock(path: string): Promise<Lock | undefined> {
  return readLock(path).catch((error: unknown) => {
    if (isDeliverError(error)) return undefined;
    throw error;
  });
}

async function checkLockFile(path: string, lock: Lock): Promise<'unchanged'> {
  const before = await readLock(path);
  if (lockText(before) === lockText(lock)) return 'unchanged';
  throw new DeliverError('E_LOCK_STALE', {
    what: `The lock is not what the release resolves to now: ${path}`,
    details: lockChanges(before, lock),
    fix: 'Make it again with deliver resolve, and review the change.',
    state: 'Nothing was written.',
  });
}

function adviceOn(loaded: LoadedRelease): string[] {
  return neededImages(fillVersions(loaded.release))
    .filter(({ reference }) => reference.tag === 'latest' && reference.digest === undefined)
    .map(({ key, neededBy }) => `${key} (${neededBy.join('; ')}) is not pinned to a version; the lock pins what it is now.`);
}

function referrersText({ images }: Lock): string {
  const found = new Set(images.flatMap(({ referrers = [] }) => referrers.map(({ digest }) => digest)));
  return found.size === 0 ? '' : `, ${countText(found.size, 'referrer')}`;
}

/** What an earlier step made. */
function done<T>(value: T | undefined): T {
  if (value === undefined) throw new DeliverError('E_BUG', { what: 'A step ran before the one that it needs.' });
  return value;
}
