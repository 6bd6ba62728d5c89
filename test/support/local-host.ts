import { spawn } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HostConnection, HostConnector, RunOptions, RunResult } from '../../src/ssh/port.ts';

/** This machine as a host of a site: commands run in a real sh, files are real. `commands` records what was run. */
export interface LocalHosts extends HostConnector {
  readonly commands: string[];
}

export function localHosts(): LocalHosts {
  const commands: string[] = [];
  const connect = async (name: string): Promise<HostConnection> => ({
    host: { name, address: '127.0.0.1' },
    run: (command, options) => {
      commands.push(command);
      return runHere(command, options);
    },
    writeFile: async (path, content, mode = 0o644) => {
      commands.push(`write ${path}`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.part`, content, { mode });
      await rename(`${path}.part`, path);
    },
    readFile: (path) => readFile(path).catch(() => undefined),
    dial: () => Promise.reject(new Error('no tunnels here')),
  });
  return { commands, connect, close: () => Promise.resolve() };
}

/** Runs a command line as sshd does: by a shell, with its standard input closed when there is none. */
export function runHere(
  command: string,
  options: Pick<RunOptions, 'stdin'> = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { env });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? 128, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.end(options.stdin ?? '');
  });
}
