import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attend } from './processes.ts';

const CACHE = process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache', 'deliver-lab');
const SUITE = /^DEBIAN_SUITE=(\S+)/m.exec(readFileSync(new URL('../lab/versions.sh', import.meta.url), 'utf8'))?.[1] ?? '';
const FOLDER = join(CACHE, 'bin', `dockerd-${SUITE}`);

/** Why the tests that need a docker daemon can't run here, undefined when they can. */
export const noDockerd = !existsSync(join(FOLDER, 'dockerd'))
  ? 'dockerd is not in the cache: bash test/lab/dockerd.sh gets it'
  : process.getuid?.() === 0
    ? undefined
    : 'dockerd needs root';

/** A docker daemon of its own: no network, no rules, its data in a folder that goes away. */
export interface Dockerd {
  readonly socket: string;
  readonly folder: string;
  load(archive: Uint8Array): Promise<void>;
  stop(): Promise<void>;
}

export async function startDockerd(): Promise<Dockerd> {
  // Unix sockets have short names only.
  const folder = mkdtempSync(join(tmpdir(), 'deliver-dockerd-'));
  const at = (name: string): string => join(folder, name);
  const socket = at('docker.sock');
  const args = ['--host', `unix://${socket}`, '--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--storage-driver=vfs'];
  const child = spawn(join(FOLDER, 'dockerd'), [...args, ...quiet, '--log-level=error'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${FOLDER}${delimiter}${process.env['PATH'] ?? ''}`, HOME: folder },
  });
  const { said, end } = attend(child);
  const stop = async (): Promise<void> => {
    // It ends its own containerd when it is asked to.
    await end(15_000);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) break;
    if ((await call(socket, 'GET', '/_ping').catch(() => undefined))?.status === 200)
      return { socket, folder, stop, load: loadInto(socket) };
    await sleep(150);
  }
  await stop();
  throw new Error(`dockerd did not start: ${said()}`);
}

function loadInto(socket: string): Dockerd['load'] {
  return async (archive) => {
    const { status, text } = await call(socket, 'POST', '/images/load?quiet=1', archive);
    if (status !== 200 || text.includes('"error"')) throw new Error(`docker load: ${String(status)} ${text}`);
  };
}

function call(socketPath: string, method: string, path: string, body?: Uint8Array): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers: { host: 'docker' } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
