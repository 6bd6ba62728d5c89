import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import type { HostConnection, HostConnector, RunOptions, RunResult } from '../../src/ssh/port.ts';
import { uploadScript } from '../../src/ssh/upload.ts';

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
      await writeFile(`${path}.part`, content);
      // Whatever the umask says.
      await chmod(`${path}.part`, mode);
      await rename(`${path}.part`, path);
    },
    readFile: (path) => readFile(path).catch(() => undefined),
    upload: async (path, source, options = {}) => {
      commands.push(`upload ${path}`);
      const ran = await runHere(uploadScript(path, source, 0, options.mode ?? 0o644), { stdin: source.open(0) });
      if (ran.code !== 0) throw new Error(ran.stderr);
    },
    listen: () => Promise.reject(new Error('no tunnels here')),
    dial: () => Promise.reject(new Error('no tunnels here')),
  });
  return { commands, connect, close: () => Promise.resolve() };
}

/** Runs a command line as sshd does: by a shell, with its standard input closed when there is none. */
export function runHere(
  command: string,
  options: { readonly stdin?: RunOptions['stdin'] | AsyncIterable<Uint8Array> } = {},
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
    const { stdin = '' } = options;
    if (typeof stdin === 'string' || stdin instanceof Uint8Array) child.stdin.end(stdin);
    else Readable.from(stdin).pipe(child.stdin);
  });
}
