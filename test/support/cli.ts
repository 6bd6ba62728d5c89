import { execa } from 'execa';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;

/** Starts deliver from its sources in a folder, without a terminal and with nothing to read; a non-zero exit is a result, not an error. */
export function deliver(args: readonly string[], cwd = process.cwd(), env: Readonly<Record<string, string>> = {}) {
  const options = { reject: false, timeout: 60_000, cwd, stdin: 'ignore', env: { DEBUG: '', ...env } } as const;
  return execa(process.execPath, [DEV, ...args], options);
}
