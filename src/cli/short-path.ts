import { isAbsolute, relative } from 'node:path';

/** A path as a person would type it here: relative when it is below the working folder. */
export function shortPath(path: string, from = process.cwd()): string {
  const near = relative(from, path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near;
}
