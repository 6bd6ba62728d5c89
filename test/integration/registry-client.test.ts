import { connect } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { verified, type Digest } from '../../src/core/digest.ts';
import { parseReference } from '../../src/core/reference.ts';
import { Secret } from '../../src/core/secret.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import type { RegistryOptions } from '../../src/registry/options.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { startMemoryRegistry, type MemoryRegistry, type MemoryRegistryOptions } from '../lab/harbor/memory-registry.ts';
import { buildImage, buildIndex, type BuiltImage } from '../support/images.ts';

const RETRY = { retries: 2, firstDelay: 5 };
const BOB = { username: 'bob', password: 'bobs-password' };
const USERS = { [BOB.username]: BOB.password };

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function start(options: MemoryRegistryOptions = {}): Promise<MemoryRegistry> {
  const registry = await startMemoryRegistry(options);
  open.push(registry);
  return registry;
}

function reader(registry: MemoryRegistry, more: Partial<RegistryOptions> = {}): Registry {
  const client = createRegistry({ host: registry.host, role: 'source', retry: RETRY, ...more });
  open.push(client);
  return client;
}

function seed(registry: MemoryRegistry, repository: string, tag: string, image: BuiltImage): void {
  for (const bytes of image.blobs.values()) registry.content.seedBlob(repository, Buffer.from(bytes));
  for (const { descriptor, bytes } of image.manifests) {
    const isRoot = descriptor.digest === image.descriptor.digest;
    registry.content.seedManifest(repository, isRoot ? tag : null, descriptor.mediaType, Buffer.from(bytes));
  }
}

async function read(client: Registry, repository: string, digest: Digest, size: number): Promise<number> {
  let read = 0;
  for await (const chunk of verified(await client.blob(repository, digest), { digest, size }, 'the registry'))
    read += chunk.byteLength;
  return read;
}

function largest(image: BuiltImage): { digest: Digest; size: number } {
  const [digest, bytes] = [...image.blobs].sort(([, a], [, b]) => b.byteLength - a.byteLength)[0] ?? [];
  if (digest === undefined || bytes === undefined) throw new Error('an image without blobs');
  return { digest, size: bytes.byteLength };
}

describe('logs in', () => {
  const image = buildImage();

  it.each([
    ['without an account where none is needed', {}, {}],
    ['by Basic', { auth: { kind: 'basic', users: USERS } }, { account: BOB }],
    ['by a token', { auth: { kind: 'token', users: USERS } }, { account: BOB }],
    ['by a token under its other name', { auth: { kind: 'token', users: USERS, field: 'access_token' } }, { account: BOB }],
    ['by an anonymous token', { auth: { kind: 'token', users: USERS, anonymousPull: true } }, {}],
  ] satisfies [string, MemoryRegistryOptions, Partial<RegistryOptions>][])('%s', async (_how, server, client) => {
    const registry = await start(server);
    seed(registry, 'a/b', '1', image);
    const { descriptor } = await reader(registry, client).manifest('a/b', '1');
    expect(descriptor.digest).toBe(image.descriptor.digest);
  });

  it('with one token per repository, however many requests wait for it', async () => {
    const registry = await start({ auth: { kind: 'token', users: USERS } });
    seed(registry, 'a/b', '1', image);
    const client = reader(registry, { account: BOB });
    await client.manifest('a/b', '1');
    await Promise.all([...image.blobs].map(([digest, bytes]) => read(client, 'a/b', digest, bytes.byteLength)));
    expect(registry.requests.filter(({ path }) => path === '/token')).toHaveLength(1);
  });

  it('again when its token has expired', async () => {
    const registry = await start({ auth: { kind: 'token', users: USERS, expiresInSeconds: 1 } });
    seed(registry, 'a/b', '1', image);
    const client = reader(registry, { account: BOB });
    await client.manifest('a/b', '1');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await client.manifest('a/b', '1')).descriptor.digest).toBe(image.descriptor.digest);
  });

  it('and tells a wrong password from a missing account, without showing it', async () => {
    const registry = await start({ auth: { kind: 'basic', users: USERS } });
    const wrong = reader(registry, { account: { ...BOB, password: 'wrong-password' } }).manifest('a/b', '1');
    await expect(wrong).rejects.toThrowWithCode('E_SOURCE_AUTH', 'bob');
    await expect(wrong).rejects.not.toThrowWithCode('E_SOURCE_AUTH', 'wrong-password');
    await expect(reader(registry).manifest('a/b', '1')).rejects.toThrowWithCode('E_SOURCE_AUTH', `docker login ${registry.host}`);
    const site = reader(registry, { role: 'site', account: { ...BOB, password: 'wrong-password' } });
    await expect(site.headManifest('a/b', '1')).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'bob');
  });
});

describe('reads', () => {
  const image = buildImage({ layers: [900_000] });
  const layer = largest(image);

  it('manifests byte for byte, indexes too', async () => {
    const registry = await start();
    const index = buildIndex([image, buildImage({ seed: 'arm', platform: { os: 'linux', architecture: 'arm64' } })]);
    seed(registry, 'a/b', '1', index);
    const fetched = await reader(registry).manifest('a/b', '1');
    expect(Buffer.from(fetched.bytes).equals(Buffer.from(index.bytes))).toBe(true);
    expect(fetched.descriptor).toEqual(index.descriptor);
    await expect(reader(registry).manifest('a/b', 'none')).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', 'a/b:none');
  });

  it('a blob on from where the connection broke', async () => {
    const registry = await start();
    seed(registry, 'a/b', '1', image);
    registry.faults.add({ method: 'GET', path: /\/blobs\//, cutAfter: 400_000 });
    expect(await read(reader(registry), 'a/b', layer.digest, layer.size)).toBe(layer.size);
    const statuses = registry.requests.filter(({ path }) => path.includes('/blobs/')).map(({ status }) => status);
    expect(statuses).toEqual([0, 206]);
  });

  it('past one 503 and one 429, as late as the registry asks', async () => {
    const registry = await start();
    seed(registry, 'a/b', '1', image);
    registry.faults.add({ status: 503 });
    registry.faults.add({ status: 429, headers: { 'Retry-After': '0' } });
    expect((await reader(registry).manifest('a/b', '1')).descriptor.digest).toBe(image.descriptor.digest);
    expect(registry.requests).toHaveLength(3);
  });

  it('but asks only once for what is refused', async () => {
    const registry = await start();
    await expect(reader(registry).manifest('a/b', '1')).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND');
    expect(registry.requests).toHaveLength(1);
  });

  it('and says who does not answer', async () => {
    const registry = await startMemoryRegistry();
    await registry.close();
    await expect(reader(registry).manifest('a/b', '1')).rejects.toThrowWithCode('E_SOURCE', registry.host);
  });

  it('and stops when it is told to', async () => {
    const registry = await start();
    seed(registry, 'a/b', '1', image);
    registry.faults.add({ delayMs: 60_000, status: 200 });
    const reason = new Error('enough');
    const asked = reader(registry).manifest('a/b', '1', AbortSignal.any([abortSoon(reason)]));
    await expect(asked).rejects.toBe(reason);
  });
});

function abortSoon(reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort(reason);
  }, 50);
  return controller.signal;
}

it('reaches a registry through a dial, or by another address than its name', async () => {
  const registry = await start();
  seed(registry, 'a/b', '1', buildImage());
  const port = Number(registry.host.split(':')[1]);
  const dialled: string[] = [];
  const through = reader(registry, {
    host: 'harbor.plant7:5000',
    plainHttp: true,
    dial: async (address, wanted) => {
      dialled.push(`${address}:${String(wanted)}`);
      return connect(port, '127.0.0.1');
    },
  });
  await through.manifest('a/b', '1');
  expect(dialled).toEqual(['harbor.plant7:5000']);
  const redirected = reader(registry, { host: 'harbor.plant7', plainHttp: true, address: registry.host });
  await redirected.manifest('a/b', '1');
});

it('sends the account to the registry only, not to storage that it redirects to', async () => {
  const storage = await start();
  const image = buildImage();
  const layer = largest(image);
  seed(storage, 'bucket', '1', image);
  const registry = await start({ auth: { kind: 'basic', users: USERS } });
  const location = `${storage.url}/v2/bucket/blobs/${layer.digest}`;
  registry.faults.add({ method: 'GET', path: /\/blobs\//, skip: 1, status: 307, headers: { Location: location } });
  expect(await read(reader(registry, { account: BOB }), 'a/b', layer.digest, layer.size)).toBe(layer.size);
});

it('takes mirrors from the release and accounts from the docker config', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deliver-source-'));
  open.push({ close: async () => rmSync(folder, { recursive: true }) });
  const registry = await start({ auth: { kind: 'token', users: USERS } });
  const auth = Buffer.from(`${BOB.username}:${BOB.password}`).toString('base64');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  seed(registry, 'k8s/pause', '3.10', buildImage());
  const source = createImageSource(
    { registries: { 'registry.k8s.io': { mirror: `${registry.host}/k8s` } } },
    { DOCKER_CONFIG: folder },
  );
  open.push(source);
  const { reader: mirror, repository } = source.locate(parseReference('registry.k8s.io/pause:3.10'));
  expect(repository).toBe('k8s/pause');
  expect((await mirror.manifest(repository, '3.10')).descriptor.digest).toBe(buildImage().descriptor.digest);
});

it('gives an account that a file names to its own registry only', async () => {
  const registry = await start({ auth: { kind: 'token', users: USERS } });
  seed(registry, 'a/b', '1', buildImage());
  const account = { username: BOB.username, password: new Secret(BOB.password) };
  const sourceWith = (host: string): ReturnType<typeof createImageSource> => {
    const source = createImageSource(
      { registries: { 'other.example': { mirror: registry.host } } },
      { DOCKER_CONFIG: '/nowhere' },
      undefined,
      {
        accounts: new Map([[host, account]]),
      },
    );
    open.push(source);
    return source;
  };
  const own = sourceWith(registry.host).locate(parseReference(`${registry.host}/a/b:1`));
  expect((await own.reader.manifest(own.repository, '1')).descriptor.digest).toBe(buildImage().descriptor.digest);
  const mirrored = sourceWith('other.example').locate(parseReference('other.example/a/b:1'));
  await expect(mirrored.reader.manifest(mirrored.repository, '1')).rejects.toThrowWithCode('E_SOURCE_AUTH');
});
