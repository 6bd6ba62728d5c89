import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { buildRelease, smallRelease, type TestRelease } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { noise } from '../support/images.ts';
import { serveRelease } from '../support/serve.ts';

// Clients that others wrote pull from a served bundle. `skipIf` shows what was left out on a machine that lacks one.
const LAB = process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache/deliver-lab');
const CRANE = join(LAB, 'bin/crane-v0.20.7/crane');
const REGCTL = join(LAB, 'bin/regctl-v0.11.1/regctl');
const BUSYBOX = 'docker.io/library/busybox';

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await execa(command, args, { timeout: 15_000, stdin: 'ignore', env });
  return stdout;
}

function layered(): TestRelease {
  return buildRelease({
    images: [{ reference: `${BUSYBOX}:1.36`, layers: [noise(2_000_000, 'a'), noise(300_000, 'b')] }],
    charts: [{ name: 'web', content: Buffer.from('chart content') }],
  });
}

/** A certificate authority and a certificate of it for 127.0.0.1, in files. */
async function certificates(): Promise<{ folder: string; tls: { cert: string; key: string } }> {
  const folder = await folderWith({ 'ext.cnf': 'subjectAltName=IP:127.0.0.1\n' });
  const openssl = (...args: string[]): Promise<string> => run('openssl', args);
  const at = (name: string): string => join(folder, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl('req', '-x509', ...curve, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-days', '2', '-subj', '/CN=site ca');
  await openssl('req', ...curve, '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=serve');
  const signer = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext.cnf')];
  await openssl('x509', '-req', '-in', at('csr.pem'), ...signer, '-out', at('cert.pem'));
  return { folder, tls: { cert: await readFile(at('cert.pem'), 'utf8'), key: await readFile(at('key.pem'), 'utf8') } };
}

describe.skipIf(!hasCommand('skopeo'))('skopeo', () => {
  it('inspects and copies an image, byte for byte', async () => {
    const release = layered();
    const { url, log } = await serveRelease(release);
    const source = `docker://${new URL(url).host}/${BUSYBOX}:1.36`;
    const found = JSON.parse(await run('skopeo', ['inspect', '--tls-verify=false', source])) as { Digest: string };
    expect(found.Digest).toBe(release.lock.images[0]?.digest);
    const out = join(await folderWith(), 'copied');
    await run('skopeo', ['copy', '--src-tls-verify=false', '--preserve-digests', source, `dir:${out}`]);
    expect(digestOf(await readFile(join(out, 'manifest.json')))).toBe(found.Digest);
    expect(log.every(({ status, broken }) => status === 200 && broken === undefined)).toBe(true);
  });

  it.skipIf(!hasCommand('openssl'))('trusts a private certificate authority, and refuses without it', async () => {
    const { folder, tls } = await certificates();
    const release = smallRelease();
    const { url } = await serveRelease(release, { tls });
    expect(url).toMatch(/^https:/);
    const source = `docker://${new URL(url).host}/${BUSYBOX}:1.36`;
    const [certs, none] = [await folderWith({ 'ca.crt': await readFile(join(folder, 'ca.crt')) }), await folderWith()];
    const out = join(await folderWith(), 'copied');
    await run('skopeo', ['copy', '--src-cert-dir', certs, source, `dir:${out}`]);
    expect(digestOf(await readFile(join(out, 'manifest.json')))).toBe(release.lock.images[0]?.digest);
    await expect(run('skopeo', ['inspect', '--cert-dir', none, source])).rejects.toThrow(/x509|certificate/);
  });
});

describe.skipIf(!existsSync(CRANE))('crane (lab)', () => {
  it('lists, pulls an image, and validates every layer', async () => {
    const release = layered();
    const { url } = await serveRelease(release);
    const { host } = new URL(url);
    expect(await run(CRANE, ['ls', `${host}/${BUSYBOX}`])).toBe('1.36');
    expect((await run(CRANE, ['catalog', host])).split('\n')).toContain('charts/web');
    expect(await run(CRANE, ['digest', `${host}/${BUSYBOX}:1.36`])).toBe(release.lock.images[0]?.digest);
    const out = join(await folderWith(), 'layout');
    await run(CRANE, ['pull', '--format=oci', `${host}/${BUSYBOX}:1.36`, out]);
    for (const { digest } of release.lock.images[0]?.blobs ?? [])
      expect(digestOf(await readFile(join(out, 'blobs/sha256', digest.slice(7))))).toBe(digest);
  });
});

describe.skipIf(!existsSync(REGCTL))('regctl (lab)', () => {
  it('reads an image, a chart, a file and the signatures of the release', async () => {
    const { url, bundle } = await serveRelease(smallRelease(), { signatures: ['one'] });
    const { host } = new URL(url);
    const home = await folderWith();
    const regctl = (...args: string[]): Promise<string> => run(REGCTL, args, { HOME: home });
    await regctl('registry', 'set', host, '--tls', 'disabled');
    expect(await regctl('image', 'digest', `${host}/${BUSYBOX}:1.36`)).toBe(bundle.lock.images[0]?.digest);
    expect(await regctl('artifact', 'get', `${host}/files/runbook:3.6.2`)).toBe('read me');
    expect(await regctl('artifact', 'get', `${host}/charts/web:1.0.0`)).toBe('chart content');
    const list = await regctl('artifact', 'list', `${host}/releases/gatekeeper-suite:3.6.2`, '--format', '{{json .}}');
    expect(list).toContain('vnd.deliver.signature.sshsig');
    await regctl('image', 'copy', `${host}/${BUSYBOX}:1.36`, `ocidir://${join(home, 'out')}:1.36`);
    expect(await regctl('image', 'digest', `ocidir://${join(home, 'out')}:1.36`)).toBe(bundle.lock.images[0]?.digest);
  });
});
