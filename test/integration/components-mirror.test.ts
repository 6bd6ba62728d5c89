import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { buildImage, buildIndex } from '../support/images.ts';
import { seedImage } from '../support/seed-registry.ts';

const PASSWORD = 'Corp-Mirror-77x';
const PROGRAMS = { kubeadm: 'kubeadm', kubelet: 'kubelet', kubectl: 'kubectl' };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A corporate mirror on loopback: its own CA, an account for all it has, and pages that list its folders. */
interface Mirror {
  readonly url: string;
  readonly folder: string;
  readonly files: Map<string, string>;
}

/** A private CA and what it signed for loopback, as files of the folder. */
function signedIn(folder: string): { key: Buffer; cert: Buffer } {
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=corp ca');
  openssl('req', ...curve, '-keyout', 'key.pem', '-out', 'csr.pem', '-subj', '/CN=mirror');
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'csr.pem', ...signer, '-out', 'cert.pem');
  return { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
}

async function startMirror(): Promise<Mirror> {
  const files = new Map<string, string>();
  const wanted = `Basic ${Buffer.from(`corp:${PASSWORD}`).toString('base64')}`;
  const netrc = `machine other.example login a password b\nmachine localhost\n  login corp password "${PASSWORD}"\n`;
  const folder = await folderWith({ netrc, names: 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' });
  const server = createServer(signedIn(folder), (request, response) => {
    const path = request.url ?? '';
    if (request.headers.authorization !== wanted) return void response.writeHead(401).end();
    const body = path.endsWith('/') ? pageOf(path, files) : files.get(path);
    return void response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://localhost:${String((server.address() as AddressInfo).port)}`;
  return { url, files, folder };
}

function pageOf(folder: string, files: ReadonlyMap<string, string>): string | undefined {
  const names = [...files.keys()].flatMap((path) =>
    path.startsWith(folder) ? [path.slice(folder.length).split('/')[0] ?? ''] : [],
  );
  return names.length === 0 ? undefined : [...new Set(names)].map((name) => `<a href="${name}/">${name}/</a>`).join('\n');
}

/** kubeadm, kubelet and kubectl for both architectures; kubeadm names an image of a registry that answers here. */
async function publishKubernetes({ files }: Mirror, version: string): Promise<void> {
  const registry = await startMemoryRegistry();
  onTestFinished(() => registry.close());
  const image = buildIndex(
    ['amd64', 'arm64'].map((architecture) => buildImage({ seed: architecture, platform: { os: 'linux', architecture } })),
  );
  seedImage(registry, 'pause', image, '3.10.1');
  for (const [name, text] of Object.entries({ ...PROGRAMS, kubeadm: `#!/bin/sh\necho ${registry.host}/pause:3.10.1\n` })) {
    for (const arch of ['amd64', 'arm64'])
      publish(files, `/k8s/release/${version}/bin/linux/${arch}/${name}`, `${text}# ${arch}\n`);
  }
}

function publish(files: Map<string, string>, path: string, text: string): void {
  files.set(path, text);
  files.set(`${path}.sha256`, sha256(text));
}

async function resolve({ folder, url }: Mirror, fields: object, env: Record<string, string> = { NETRC: join(folder, 'netrc') }) {
  const release = {
    apiVersion: 'deliver/v1',
    kind: 'Release',
    metadata: { name: 'corp', version: '1.0.0' },
    platforms: ['linux/amd64', 'linux/arm64'],
    sources: { ca: './ca.crt', base: { 'https://dl.k8s.io': `${url}/k8s`, 'https://github.com': `${url}/gh` } },
    ...fields,
  };
  await writeFile(join(folder, 'corp.yaml'), JSON.stringify(release));
  return deliver(['resolve', 'corp.yaml'], folder, env);
}

const Files = z.object({ files: z.array(z.object({ name: z.string(), digest: z.string(), source: z.string() })) });
const kubernetes = (components: object = {}, version = 'v1.34.4'): object => ({ kubernetes: { version, components } });

describe.skipIf(!hasCommand('openssl'))('programs from a corporate mirror', () => {
  it('come over its private CA with the account of ~/.netrc, for both architectures in one lock that has no password', async () => {
    const mirror = await startMirror();
    await publishKubernetes(mirror, 'v1.34.4');
    const ran = await resolve(mirror, kubernetes());
    expect(ran.exitCode, ran.stderr).toBe(0);
    const text = await readFile(join(mirror.folder, 'corp.lock.yaml'), 'utf8');
    const { files } = Files.parse(parse(text));
    expect(files.map(({ name }) => name)).toEqual(
      Object.keys(PROGRAMS).flatMap((name) => ['amd64', 'arm64'].map((arch) => `components/${name}/linux-${arch}`)),
    );
    const kubelet = files.find(({ name }) => name === 'components/kubelet/linux-arm64');
    expect(kubelet?.digest).toBe(`sha256:${sha256('kubelet# arm64\n')}`);
    expect(kubelet?.source).toBe(`${mirror.url}/k8s/release/v1.34.4/bin/linux/arm64/kubelet`);
    expect(text + ran.stdout + ran.stderr).not.toContain(PASSWORD);
  });

  it.each([
    [
      'without the CA',
      { sources: { base: { 'https://dl.k8s.io': 'URL/k8s' } } },
      undefined,
      'sources.ca in the release names a CA',
    ],
    ['without an account', {}, { NETRC: '/nonexistent' }, '~/.netrc'],
    ['with a CA file that is not there', { sources: { ca: './no.crt' } }, undefined, 'The CA that sources.ca names'],
  ])('are refused %s, with what to do', async (_, fields, env, text) => {
    const mirror = await startMirror();
    const filled = JSON.parse(JSON.stringify(fields).replace('URL', mirror.url)) as object;
    const ran = await resolve(mirror, { ...kubernetes(), ...filled }, env);
    expect(ran.exitCode).not.toBe(0);
    expect(ran.stderr.replace(/\s+/g, ' ')).toContain(text);
  });

  it('that do not exist are answered with the versions that do', async () => {
    const mirror = await startMirror();
    const { files } = mirror;
    for (const version of ['v1.0.2', 'v1.2.9', 'v1.3.0', 'v1.4.0'])
      files.set(`/gh/opencontainers/runc/releases/download/${version}/runc.amd64`, 'runc');
    files.set('/k8s/release/stable-1.34.txt', 'v1.34.9\n');
    const wrong = await resolve(mirror, { ...kubernetes({ runc: 'v1.3.99' }, 'v1.34.99'), platforms: ['linux/amd64'] });
    expect(wrong.exitCode).not.toBe(0);
    const said = wrong.stderr.replace(/\s+/g, ' ');
    expect(said).toContain('is not there. Near it there is v1.2.9, v1.3.0, v1.4.0.');
    expect(said).toContain('is not there. The newest 1.34 there is kubelet v1.34.9.');
  });

  it('that nobody lists are answered with the newest that deliver knows of', async () => {
    const mirror = await startMirror();
    const wrong = await resolve(mirror, { ...kubernetes({}, 'v1.33.99'), platforms: ['linux/amd64'] });
    expect(wrong.stderr.replace(/\s+/g, ' ')).toContain('The newest 1.33 that deliver knows of is v1.33.13.');
  });

  it('are refused when one architecture is not what its project published', async () => {
    const mirror = await startMirror();
    await publishKubernetes(mirror, 'v1.34.4');
    mirror.files.set('/k8s/release/v1.34.4/bin/linux/arm64/kubelet', 'another');
    const ran = await resolve(mirror, kubernetes());
    expect(ran.stderr).toContain('E_DIGEST');
    expect(ran.stderr.replace(/\s+/g, ' ')).toContain('kubelet v1.34.4 for linux/arm64 is not what its project published.');
  });
});
