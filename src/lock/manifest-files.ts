import { readdir, stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import type { Release } from '../manifest/release-schema.ts';
import { manifestFileName } from './app-file-name.ts';
import { sourceLocation } from './resolve-file.ts';

/** A file below `manifests:` of a release. */
export interface ManifestFile {
  readonly name: string;
  readonly title: string;
  /** Path relative to the release, or URL. */
  readonly source: string;
  /** `manifests[0], traefik/rbac.yaml` */
  readonly neededBy: string;
}

const KUSTOMIZATION = /^(?:kustomization\.ya?ml|Kustomization)$/;
const MANIFEST = /\.(?:ya?ml|json)$/;

/**
 * The files of `manifests:`, in its order; of a folder all YAML and JSON files in it and below, by name. Names that start with
 * a dot stay out.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_NOT_YET for a kustomization, E_SCHEMA for a folder without any
 */
export async function manifestFiles(release: Pick<Release, 'manifests'>, folder: string): Promise<readonly ManifestFile[]> {
  const lists = await Promise.all((release.manifests ?? []).map(({ path }, index) => filesAt(path, index, folder)));
  return lists.flat();
}

async function filesAt(path: string, index: number, folder: string): Promise<ManifestFile[]> {
  const place = `manifests[${String(index)}]`;
  const one = (source: string, relative: string): ManifestFile => ({
    name: manifestFileName(index, relative),
    title: posix.basename(relative),
    source,
    neededBy: `${place}, ${relative}`,
  });
  const location = sourceLocation(folder, path);
  const isUrl = location === path && path.includes('://');
  if (isUrl) return [one(path, posix.basename(new URL(path).pathname))];
  const found = await stat(location).catch((error: unknown) => {
    throw unreadable(place, path, error);
  });
  if (!found.isDirectory()) {
    if (KUSTOMIZATION.test(posix.basename(path))) throw kustomization(place, path);
    return [one(path, posix.basename(path))];
  }
  const relatives = await namesBelow(location).catch((error: unknown) => {
    throw unreadable(place, path, error);
  });
  if (relatives.some((relative) => KUSTOMIZATION.test(posix.basename(relative)))) throw kustomization(place, path);
  const manifests = relatives.filter((relative) => MANIFEST.test(relative));
  if (manifests.length > 0) return manifests.map((relative) => one(posix.join(path, relative), relative));
  throw new DeliverError('E_SCHEMA', {
    what: `${place}: the folder ${path} holds no manifest.`,
    why: 'There is no .yaml, .yml or .json file in it or below.',
    state: 'Nothing was written.',
  });
}

/** Paths of the files below a folder, by code points so that no locale gets into a lock. */
async function namesBelow(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(resolve(folder, prefix), { withFileTypes: true });
  const lists = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(async (entry) => {
        const relative = posix.join(prefix, entry.name);
        if (entry.isDirectory()) return namesBelow(folder, relative);
        const isFile = entry.isFile() || (entry.isSymbolicLink() && (await stat(resolve(folder, relative))).isFile());
        return isFile ? [relative] : [];
      }),
  );
  return lists.flat().sort((a, b) => (a < b ? -1 : 1));
}

function kustomization(place: string, path: string): DeliverError {
  return new DeliverError('E_NOT_YET', {
    what: `${place}: ${path} is a kustomization, which deliver can’t build yet.`,
    fix: 'Write what it builds into a file: kubectl kustomize FOLDER > manifests.yaml, and name that file.',
    state: 'Nothing was written.',
  });
}

function unreadable(place: string, path: string, cause: unknown): DeliverError {
  const isMissing = systemCode(cause) === 'ENOENT';
  return new DeliverError(isMissing ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
    what: `${place}: ${path} ${isMissing ? 'is not there' : 'can’t be read'}.`,
    ...(isMissing ? { fix: 'Check the path; it is relative to the release file.' } : { why: messageOf(cause) }),
    cause,
  });
}
