import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** A path of a site file as an absolute one: relative to the file's folder, `~` is the home directory. */
export function sitePath(folder: string, path: string): string {
  if (path === '~') return homedir();
  if (path.startsWith('~/')) return join(homedir(), path.slice(2));
  return resolve(folder, path);
}
