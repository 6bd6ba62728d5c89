import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { startRegistry } from '../../bench/registry.ts';

const CACHE = process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache/deliver-lab');
const VERSIONS = readFileSync(new URL('../../lab/versions.sh', import.meta.url), 'utf8');
const version = (name: string): string => new RegExp(`^${name}=(\\S+)`, 'm').exec(VERSIONS)?.[1] ?? '';
const cached = (name: string): string => join(CACHE, 'bin', `${name}-${version(`${name.toUpperCase()}_VERSION`)}`, name);
const BASE = join(CACHE, `base-${version('DEBIAN_SUITE')}-${version('BASE_REVISION')}`, 'usr/bin');

/** Where a bundle lies, in the three forms in which others may read it. */
export interface Forms {
  readonly tar: string;
  /** The layout that tar makes of it. */
  readonly folder: string;
  /** host:port of `deliver serve`. */
  readonly serve: string;
}
export type Form = keyof Forms;

/** An image in a bundle. */
export interface Wanted {
  readonly reference: string;
  readonly digest: string;
}

/** Takes an image out of a bundle; the digest of what came out, or an error when the tool does not read that form. */
export type Take = (form: Form, at: Forms, wanted: Wanted, work: string) => Promise<string>;

export interface Reader {
  readonly name: string;
  readonly program: string;
  readonly take: Take;
}

async function run(program: string, args: readonly string[], work: string): Promise<string> {
  const { stdout } = await execa(program, args, { timeout: 60_000, stdin: 'ignore', env: { HOME: work } });
  return stdout.trim();
}

const skopeo: Take = async (form, at, { reference }, work) => {
  const source = {
    tar: `oci-archive:${at.tar}:${reference}`,
    folder: `oci:${at.folder}:${reference}`,
    serve: `docker://${at.serve}/${reference}`,
  };
  const flags = ['--insecure-policy', 'copy', '-q', '--preserve-digests', '--src-tls-verify=false'];
  await run('skopeo', [...flags, source[form], `dir:${join(work, 'out')}`], work);
  return (await run('sha256sum', [join(work, 'out/manifest.json')], work)).replace(/^(\w+).*/s, 'sha256:$1');
};

const oras: Take = async (form, at, { reference, digest }, work) => {
  const from =
    form === 'serve' ? ['--from-plain-http', `${at.serve}/${reference}`] : ['--from-oci-layout', `${at[form]}@${digest}`];
  await run(cached('oras'), ['copy', ...from, '--to-oci-layout', `${join(work, 'out')}:copied`], work);
  return run(cached('oras'), ['resolve', '--oci-layout', `${join(work, 'out')}:copied`], work);
};

const crane: Take = async (form, at, { reference, digest }, work) => {
  if (form === 'serve') {
    await run(cached('crane'), ['pull', '--insecure', '--format=oci', `${at.serve}/${reference}`, join(work, 'out')], work);
    const index = JSON.parse(readFileSync(join(work, 'out/index.json'), 'utf8')) as { manifests: { digest: string }[] };
    return index.manifests[0]?.digest ?? '';
  }
  const registry = await startRegistry(join(work, 'registry'));
  try {
    await run(cached('crane'), ['push', '--insecure', '--index', at[form], `${registry.host}/all:x`], work);
    return await run(cached('crane'), ['digest', '--insecure', `${registry.host}/all@${digest}`], work);
  } finally {
    await registry.stop();
  }
};

const regctl: Take = async (form, at, { reference, digest }, work) => {
  const program = cached('regctl');
  const target = `ocidir://${join(work, 'out')}:copied`;
  if (form === 'serve') await run(program, ['registry', 'set', at.serve, '--tls', 'disabled'], work);
  if (form === 'tar') await run(program, ['image', 'import', target, at.tar, '--name', reference], work);
  else
    await run(
      program,
      ['image', 'copy', form === 'serve' ? `${at.serve}/${reference}` : `ocidir://${at.folder}@${digest}`, target],
      work,
    );
  return run(program, ['image', 'digest', target], work);
};

const ctr: Take = async (form, at, { reference }, work) => {
  const containerd = await startContainerd();
  try {
    const client = (...args: string[]): Promise<string> =>
      run(join(BASE, 'ctr'), ['--address', containerd.socket, ...args], work);
    const name = form === 'serve' ? `${at.serve}/${reference}` : reference;
    if (form === 'serve') await client('content', 'fetch', '--plain-http', name);
    else await client('images', 'import', '--no-unpack', '--all-platforms', at[form]);
    const lines = (await client('images', 'ls')).split('\n').map((line) => line.split(/\s+/));
    return lines.find(([first]) => first === name)?.[2] ?? 'not there';
  } finally {
    await containerd.stop();
  }
};

export const READERS: readonly Reader[] = [
  { name: 'skopeo', program: '/usr/bin/skopeo', take: skopeo },
  { name: 'oras', program: cached('oras'), take: oras },
  { name: 'crane', program: cached('crane'), take: crane },
  { name: 'regctl', program: cached('regctl'), take: regctl },
  { name: 'ctr', program: process.getuid?.() === 0 ? join(BASE, 'ctr') : 'none: needs root', take: ctr },
];

/** Why a reader can't be tried here; undefined when it can. */
export function noReader({ program }: Reader): string | undefined {
  return existsSync(program) ? undefined : `${program} is not there: bash test/lab/binaries.sh`;
}

/** The lab's containerd with folders and a socket of its own. */
async function startContainerd(): Promise<{ readonly socket: string; stop(): Promise<void> }> {
  // A path of a socket has at most 107 characters.
  const folder = await mkdtemp(join(tmpdir(), 'dlv-ctrd-'));
  const socket = join(folder, 'c.sock');
  const off = [
    'grpc.v1.cri',
    'internal.v1.opt',
    ...['btrfs', 'zfs', 'aufs', 'devmapper'].map((name) => `snapshotter.v1.${name}`),
  ];
  const disabled = off.map((name) => `"io.containerd.${name}"`).join(', ');
  await mkdir(join(folder, 'root'));
  await writeFile(
    join(folder, 'config.toml'),
    `version = 2\nroot = "${folder}/root"\nstate = "${folder}/state"\ndisabled_plugins = [${disabled}]\n[grpc]\naddress = "${socket}"\n[ttrpc]\naddress = "${folder}/t.sock"\n`,
  );
  const child = spawn(join(BASE, 'containerd'), ['--config', join(folder, 'config.toml'), '--log-level', 'error'], {
    stdio: 'ignore',
  });
  const gone = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  for (let turn = 0; turn < 300 && !existsSync(socket) && child.exitCode === null; turn++) await sleep(100);
  if (existsSync(socket)) return { socket, stop };
  await stop();
  throw new Error('containerd did not start');
}
