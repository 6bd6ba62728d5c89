import type { LoadedRelease } from '../manifest/load-release.ts';
import type { FileSource } from '../store/port.ts';
import type { Lock } from './lock-schema.ts';
import { manifestFiles } from './manifest-files.ts';
import { sourceLocation } from './resolve-file.ts';

/**
 * True when files of `manifests:` came, went or changed since the lock was made: the images that they need may be others.
 * Only files here are looked at; what a URL serves now is not.
 * @throws DeliverError E_FILE_*, E_NOT_YET, E_SCHEMA as `manifestFiles`
 */
export async function manifestsChanged(
  lock: Lock,
  { release, folder }: LoadedRelease,
  files: FileSource,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await manifestFiles(release, folder);
  const locked = lock.files.filter(({ name }) => name.startsWith('manifests/'));
  if (now.map(({ name }) => name).join('\n') !== locked.map(({ name }) => name).join('\n')) return true;
  const known = new Map(locked.map(({ name, digest }) => [name, digest]));
  const local = now.filter(({ source }) => !source.includes('://'));
  const changed = await Promise.all(
    local.map(
      async ({ name, source }) => (await files.measure(sourceLocation(folder, source), signal)).digest !== known.get(name),
    ),
  );
  return changed.includes(true);
}
