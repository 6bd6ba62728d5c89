import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { onHost, type Lab } from './lab.ts';

/** Layers of images, by digest: nothing of the site is in them, and they are gigabytes. */
const SKIPPED = ['io.containerd.content.v1.content', 'io.containerd.snapshotter.v1.overlayfs', 'blobs'];
/** Where Kubernetes itself keeps Secrets, and containerd the environment of containers; both only root may read. */
const THEIRS = [':/var/lib/etcd/', ':/var/lib/containerd/io.containerd.metadata.v1.bolt/'];

/** As they are, and as base64, alone and as what a registry is told. */
function forms(secrets: readonly string[]): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `${secrets.flatMap((secret) => [secret, base64(secret), base64(`admin:${secret}`)]).join('\n')}\n`;
}

/** Files below these folders of this machine with one of the secrets in them, or in the form in which it is sent. */
export function filesWith(secrets: readonly string[], folders: readonly string[]): readonly string[] {
  const there = folders.filter((folder) => existsSync(folder));
  if (there.length === 0) throw new Error(`nothing to search: ${folders.join(', ')}`);
  const excluded = SKIPPED.map((name) => `--exclude-dir=${name}`);
  const found = spawnSync('grep', ['-rlaF', '-f', '-', '--devices=skip', ...excluded, ...there], {
    input: forms(secrets),
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 2 ** 26,
  });
  // 0: found, 1: nothing found; 2 also when a file went away meanwhile
  if (found.status === null || found.status > 2) throw new Error(`grep: ${found.stderr}`);
  return found.stdout.split('\n').filter((line) => line !== '');
}

/** `host:/path` of files on the site's hosts with one of the secrets in them, but for where Kubernetes keeps its own. */
export function hostFilesWith(lab: Lab, secrets: readonly string[]): readonly string[] {
  const folders = Object.values(lab.hosts).flatMap(({ state }) => [state, path.join(path.dirname(state), 'upper')]);
  const hosts = path.join(lab.dir, 'hosts');
  return filesWith(secrets, folders)
    .map((file) => {
      const [host = '', , ...rest] = path.relative(hosts, file).split(path.sep);
      return `${host}:/${rest.join('/').replace(/^varlib\//, 'var/lib/')}`;
    })
    .filter((file) => !THEIRS.some((folder) => file.includes(folder)));
}

/** Hosts whose journal has one of the secrets in it. The journal itself must not be empty. */
export async function journalsWith(lab: Lab, hosts: readonly string[], secrets: readonly string[]): Promise<readonly string[]> {
  // The patterns go by standard input: on a command line they would be in the journal themselves.
  const script = `umask 077; p=$(mktemp /dev/shm/search.XXXXXX); cat >"$p"
    all=$(journalctl --no-pager -o cat | wc -l); with=$(journalctl --no-pager -o verbose | grep -acFf "$p" || true); rm -f "$p"; echo "$all $with"`;
  const counts = await Promise.all(hosts.map((host) => onHost(lab, host, script, forms(secrets))));
  return hosts.filter((host, index) => {
    const [all = 0, found = 0] = (counts[index] ?? '').trim().split(' ').map(Number);
    if (!(all > 0)) throw new Error(`the journal of ${host} is empty`);
    return found > 0;
  });
}
