import { isAbsolute, relative } from 'node:path';

/** A path as a person would type it here: relative when it is below the working folder; a URL as it is. */
export function shortPath(path: string, from = process.cwd()): string {
  if (path.includes('://')) return path;
  const near = relative(from, path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near;
}
