import { shellQuote } from './shell-quote.ts';

/**
 * A script that stores its standard input, `size` bytes, as `path` in one move. A connection that breaks looks like the
 * end of the input: only a whole file is renamed.
 */
export function writeScript(path: string, size: number, mode: number): string {
  const target = shellQuote(path);
  const folder = shellQuote(parentOf(path));
  return [
    'set -eu',
    'export LC_ALL=C',
    `if [ -d ${target} ]; then echo "is a directory" >&2; exit 1; fi`,
    'umask 022',
    `mkdir -p -- ${folder}`,
    'umask 077',
    `tmp=$(mktemp ${shellQuote(`${parentOf(path).replace(/\/$/, '')}/.deliver.XXXXXXXX`)})`,
    `trap 'rm -f -- "$tmp"' EXIT`,
    `trap 'exit 1' HUP INT TERM PIPE`,
    'cat >"$tmp"',
    `if [ "$(wc -c <"$tmp")" -ne ${String(size)} ]; then echo "the transfer was cut off" >&2; exit 1; fi`,
    `chmod ${mode.toString(8)} "$tmp"`,
    // A power cut after the rename must not leave an empty file; sync of one file is not everywhere.
    'sync "$tmp" 2>/dev/null || sync',
    `mv -f -- "$tmp" ${target}`,
  ].join('\n');
}

/** A script that prints the file. */
export function readScript(path: string): string {
  return `LC_ALL=C exec cat -- ${shellQuote(path)}`;
}

/** What cat says when the file, or a folder above it, is not there. */
export function saysMissing(stderr: string): boolean {
  return /No such file or directory|Not a directory/.test(stderr);
}

/** The folder that a path is in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
