import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache', 'deliver-lab');
const VERSIONS = readFileSync(new URL('../lab/versions.sh', import.meta.url), 'utf8');

/** Where test/lab/binaries.sh puts a program, of the version that the lab uses; it may not be there. @param variable of versions.sh: `CONTAINERD_2` */
export function labProgram(name: string, variable = name.toUpperCase()): string {
  const version = new RegExp(`^${variable}_VERSION=(\\S+)`, 'm').exec(VERSIONS)?.[1] ?? '';
  return join(CACHE, 'bin', `${name}-${version}`, name);
}
