import { execFileSync } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';

export interface Tools {
  /** Shell words that start the built deliver. */
  readonly deliver: string;
  readonly crane: string;
  readonly toxiproxy: string;
  /** `crane v0.20.7`, `skopeo version 1.9.3` … */
  readonly versions: readonly string[];
  /** Folder that survives runs. */
  readonly cache: string;
}

const LAB = path.resolve(import.meta.dirname, '../lab');
const PACKAGES = [
  'skopeo:skopeo',
  'docker-registry:docker-registry',
  '/usr/bin/time:time',
  'openssl:openssl',
  'taskset:util-linux',
];

/** Installs what is missing with the lab's own scripts (as root, on Debian) and says where it is. */
export function setUp(repository: string): Tools {
  lab('packages.sh', PACKAGES);
  lab('binaries.sh', ['crane', 'toxiproxy']);
  lab('minio.sh', []);
  const cache = process.env['DELIVER_LAB_CACHE'] ?? path.join(homedir(), '.cache/deliver-lab');
  const versionOf = (name: string): string =>
    text('bash', ['--norc', '-c', `. ${path.join(LAB, 'versions.sh')}; echo $${name}_VERSION`]);
  const craneVersion = versionOf('CRANE');
  const toxiproxyVersion = versionOf('TOXIPROXY');
  return {
    deliver: `${path.join(repository, 'node_modules/.bin/node')} ${path.join(repository, 'bin/run.js')}`,
    crane: path.join(cache, 'bin', `crane-${craneVersion}`, 'crane'),
    toxiproxy: path.join(cache, 'bin', `toxiproxy-${toxiproxyVersion}`, 'toxiproxy'),
    versions: [
      `crane ${craneVersion}`,
      `toxiproxy ${toxiproxyVersion}`,
      text('skopeo', ['--version']),
      text('docker-registry', ['--version']).replace('github.com/docker/distribution ', ''),
      text('openssl', ['version']).replace(/ \(.*\)$/, ''),
      `Node ${process.versions.node}`,
    ],
    cache,
  };
}

/** Lets this process, and all that it starts, use only so many cores. */
export function pinTo(cores: number): void {
  execFileSync('taskset', ['-acp', `0-${String(cores - 1)}`, String(process.pid)], { stdio: 'ignore' });
}

function lab(script: string, args: readonly string[]): void {
  execFileSync('bash', [path.join(LAB, script), ...args], { stdio: ['ignore', 2, 2], timeout: 15 * 60_000 });
}

function text(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', timeout: 10_000 }).trim();
}
