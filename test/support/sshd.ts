import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteHost } from '../../src/manifest/site-schema.ts';

const SSHD = '/usr/sbin/sshd';

/** Why no real sshd can be started here, undefined when one can. */
export function whyNoSshd(): string | undefined {
  if (process.platform === 'win32' || !existsSync(SSHD)) return `${SSHD} is not installed`;
  return spawnSync('ssh-keygen', ['-?']).error === undefined ? undefined : 'ssh-keygen is not installed';
}

/** A real OpenSSH server on loopback for the current user. */
export interface Sshd {
  readonly folder: string;
  readonly port: number;
  /** Private key that may log in. */
  readonly key: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** A host of a site file that reaches it. */
  host(name: string, more?: Partial<SiteHost>): SiteHost;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Lines that go before all others: sshd takes the first value of each keyword. */
  readonly config?: readonly string[];
  /** Variables of every session. */
  readonly env?: Readonly<Record<string, string>>;
  readonly hostKeyTypes?: readonly ('ed25519' | 'rsa' | 'ecdsa')[];
  readonly passphrase?: string;
  /** What sshd is started by: words that its own command line follows. */
  readonly command?: readonly string[];
}

/** Starts sshd with new host keys and a new user key. Bounded: fails when it does not listen within 10 s. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-sshd-'));
  const types = options.hostKeyTypes ?? ['ed25519'];
  for (const type of types) keygen(join(folder, `host_${type}`), type, '');
  const key = join(folder, 'user_key');
  keygen(key, 'ed25519', options.passphrase ?? '');
  await writeFile(join(folder, 'authorized_keys'), await readFile(`${key}.pub`), { mode: 0o600 });
  await chmod(folder, 0o700);
  const port = await freePort();
  await writeFile(join(folder, 'sshd_config'), config(folder, port, types, options));
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const own = ['-D', '-e', '-f', join(folder, 'sshd_config')];
  const [program, ...before] = options.command ?? [];
  const server = spawn(program ?? SSHD, program === undefined ? own : [...before, SSHD, ...own], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  await listening(server, port, () => log);
  const [type = '', blob = ''] = (await readFile(join(folder, `host_${types[0] ?? 'ed25519'}.pub`), 'utf8')).split(' ');
  const hostKey = `${type} ${blob}`;
  return {
    folder,
    port,
    key,
    hostKey,
    host: (name, more = {}) => ({ name, address: '127.0.0.1', port, user: userInfo().username, key, hostKey, ...more }),
    stop: async () => {
      await stop(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port of 127.0.0.1 where nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function keygen(file: string, type: string, passphrase: string): void {
  const made = spawnSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
}

function config(folder: string, port: number, types: readonly string[], { config: first = [], env = {} }: SshdOptions): string {
  // bash then reads no ~/.bashrc: what a developer has there is slow, and may not be killed as these sessions are.
  const variables = { SHLVL: '2', ...env };
  if (first.some((line) => /^setenv\b/i.test(line))) throw new Error('sshd takes the first SetEnv only: give variables as `env`');
  return [
    ...first,
    `Port ${String(port)}`,
    'ListenAddress 127.0.0.1',
    ...types.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `PidFile ${join(folder, 'pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    'PermitUserRC no',
    'AllowTcpForwarding yes',
    `SetEnv ${Object.entries(variables)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    '',
  ].join('\n');
}

async function listening(server: ChildProcess, port: number, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`sshd ended with ${String(server.exitCode)}: ${log()}`);
    if (await accepts(port)) return;
    await sleep(50);
  }
  await stop(server);
  throw new Error(`sshd does not listen: ${log()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  const killer = setTimeout(() => server.kill('SIGKILL'), 2000);
  await ended;
  clearTimeout(killer);
}
