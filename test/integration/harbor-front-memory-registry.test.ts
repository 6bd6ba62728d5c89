import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { request } from 'undici';
import { OCI_INDEX, OCI_MANIFEST, content, describe as described, sha256 } from '../lab/harbor/harness.ts';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import type { MemoryRegistry, MemoryRegistryOptions } from '../lab/harbor/memory-registry.ts';

let registry: MemoryRegistry;
const start = async (options: MemoryRegistryOptions = {}): Promise<void> => {
  registry = await startMemoryRegistry(options);
};
afterEach(() => registry.close());

interface Got {
  status: number;
  headers: Record<string, string>;
  text: string;
}
async function ask(
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  headers: Record<string, string> = {},
  body: Buffer | null = null,
): Promise<Got> {
  const answer = await request(new URL(path, registry.url), { method, headers, body });
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, text: await answer.body.text() };
}
const upload = async (repository: string, bytes: Buffer): Promise<Got> => {
  const started = await ask('POST', `/v2/${repository}/blobs/uploads/`);
  return ask('PUT', `${started.headers.location ?? ''}?digest=${sha256(bytes)}`, {}, bytes);
};
const hello = Buffer.from('hello');

describe('the memory registry', () => {
  it('takes uploads in one go, in chunks and by a single POST, and checks the order of chunks', async () => {
    await start();
    expect((await upload('a/b', hello)).status).toBe(201);
    expect((await ask('POST', `/v2/a/c/blobs/uploads/?digest=${sha256(hello)}`, {}, hello)).status).toBe(201);
    const session = (await ask('POST', '/v2/a/d/blobs/uploads/')).headers.location ?? '';
    expect((await ask('PATCH', session, { 'content-range': '0-4' }, hello)).headers.range).toBe('0-4');
    expect((await ask('PATCH', session, { 'content-range': '9-13' }, hello)).status).toBe(416);
    expect((await ask('GET', session)).headers.range).toBe('0-4');
    expect((await ask('PUT', `${session}?digest=${sha256(hello)}`)).status).toBe(201);
    expect((await ask('PUT', `${session}?digest=${sha256(hello)}`)).status).toBe(404);
  });

  it('serves blobs whole and by range, and mounts them', async () => {
    await start({ relativeLocations: true });
    const { digest } = registry.content.seedBlob('a/b', hello);
    expect((await ask('GET', `/v2/a/b/blobs/${digest}`)).text).toBe('hello');
    for (const [range, text] of [
      ['bytes=1-2', 'el'],
      ['bytes=3-', 'lo'],
      ['bytes=-1', 'o'],
    ] as const) {
      const part = await ask('GET', `/v2/a/b/blobs/${digest}`, { range });
      expect([part.status, part.text]).toEqual([206, text]);
    }
    expect((await ask('GET', `/v2/a/b/blobs/${digest}`, { range: 'bytes=9-' })).status).toBe(416);
    const mounted = await ask('POST', `/v2/x/y/blobs/uploads/?mount=${digest}&from=a/b`);
    expect([mounted.status, mounted.headers.location]).toEqual([201, `/v2/x/y/blobs/${digest}`]);
    expect((await ask('POST', `/v2/x/y/blobs/uploads/?mount=${sha256('no')}&from=a/b`)).status).toBe(202);
  });

  it('stores manifests byte for byte, lists tags and answers referrers', async () => {
    await start();
    const empty = content('application/vnd.oci.empty.v1+json', '{}');
    registry.content.seedBlob('a/b', empty.bytes);
    const subject = { mediaType: OCI_MANIFEST, digest: sha256('subject'), size: 7 };
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, artifactType: 'a/type', config: described(empty), layers: [], subject }, null, 3),
    );
    const put = await ask('PUT', '/v2/a/b/manifests/v1', { 'content-type': OCI_MANIFEST }, manifest);
    expect([put.status, put.headers['oci-subject']]).toEqual([201, subject.digest]);
    expect((await ask('GET', '/v2/a/b/manifests/v1')).text).toBe(manifest.toString());
    expect(JSON.parse((await ask('GET', `/v2/a/b/referrers/${subject.digest}?artifactType=a/type`)).text)).toMatchObject({
      mediaType: OCI_INDEX,
      manifests: [{ digest: sha256(manifest), artifactType: 'a/type' }],
    });
    expect((await ask('PUT', '/v2/a/none/manifests/v1', { 'content-type': OCI_MANIFEST }, manifest)).status).toBe(400);
    registry.content.seedManifest('a/b', 'v0', OCI_MANIFEST, manifest);
    const page = await ask('GET', '/v2/a/b/tags/list?n=1');
    expect([JSON.parse(page.text), page.headers.link]).toEqual([
      { name: 'a/b', tags: ['v0'] },
      '</v2/a/b/tags/list?last=v0&n=1>; rel="next"',
    ]);
    expect((await ask('DELETE', `/v2/a/b/manifests/${sha256(manifest)}`)).status).toBe(202);
    expect((await ask('GET', '/v2/a/b/manifests/v1')).status).toBe(404);
  });

  it('asks for Basic when told to', async () => {
    await start({ auth: { kind: 'basic', users: { me: 'pw' } } });
    expect((await ask('GET', '/v2/')).headers['www-authenticate']).toBe('Basic realm="registry"');
    const authorization = `Basic ${Buffer.from('me:pw').toString('base64')}`;
    expect((await ask('GET', '/v2/', { authorization })).status).toBe(200);
  });

  it('asks for a token of the right scope, and gives anonymous ones to pull with', async () => {
    await start({ auth: { kind: 'token', users: { me: 'pw' }, anonymousPull: true } });
    const { digest } = registry.content.seedBlob('a/b', hello);
    const refused = await ask('GET', `/v2/a/b/blobs/${digest}`);
    const challenge = refused.headers['www-authenticate'] ?? '';
    expect([refused.status, challenge]).toEqual([
      401,
      `Bearer realm="${registry.url}/token",service="memory-registry",scope="repository:a/b:pull"`,
    ]);
    const tokenFor = async (scope: string, headers: Record<string, string> = {}): Promise<string> =>
      `Bearer ${(JSON.parse((await ask('GET', `/token?scope=${scope}`, headers)).text) as { token?: string }).token ?? ''}`;
    const pull = await tokenFor('repository:a/b:pull');
    expect((await ask('GET', `/v2/a/b/blobs/${digest}`, { authorization: pull })).text).toBe('hello');
    expect((await ask('POST', '/v2/a/b/blobs/uploads/', { authorization: pull })).status).toBe(401);
    expect((await ask('GET', '/token?scope=repository:a/b:pull,push')).status).toBe(401);
    const push = await tokenFor('repository:a/b:pull,push', {
      authorization: `Basic ${Buffer.from('me:pw').toString('base64')}`,
    });
    expect((await ask('POST', '/v2/a/b/blobs/uploads/', { authorization: push })).status).toBe(202);
  });

  it('fails on command: a status once, a delay, a cut in the answer, a cut in the request', async () => {
    await start();
    const bytes = Buffer.alloc(1_000_000, 'z');
    const { digest } = registry.content.seedBlob('a/b', bytes);
    const path = `/v2/a/b/blobs/${digest}`;
    registry.faults.add({ path: /blobs/, status: 429, headers: { 'retry-after': '1' } });
    expect((await ask('GET', path)).headers['retry-after']).toBe('1');
    expect((await ask('GET', path)).text.length).toBe(1_000_000);
    registry.faults.add({ method: 'GET', delayMs: 60, skip: 1 });
    await ask('GET', path);
    const t0 = Date.now();
    await ask('GET', path);
    expect(Date.now() - t0).toBeGreaterThanOrEqual(55);
    registry.faults.add({ method: 'GET', cutAfter: 1000 });
    await expect(ask('GET', path)).rejects.toThrow();
    const session = (await ask('POST', '/v2/a/b/blobs/uploads/')).headers.location ?? '';
    registry.faults.add({ method: 'PATCH', cutAfter: 10 });
    await expect(ask('PATCH', session, {}, bytes)).rejects.toThrow();
    expect(registry.requests.filter((seen) => seen.path === path).map((seen) => seen.status)).toEqual([429, 200, 200, 200, 0]);
  });

  it('keeps blobs in a folder when told to, and leaves nothing there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'memory-registry-'));
    await start({ folder });
    await upload('a/b', hello);
    expect((await ask('GET', `/v2/a/b/blobs/${sha256(hello)}`)).text).toBe('hello');
    expect(readdirSync(folder)).toHaveLength(1);
    await registry.close();
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
