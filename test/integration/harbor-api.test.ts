import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHarborApi, type OpenHarborApi } from '../../src/registry/harbor/api.ts';
import type { RegistryAccount } from '../../src/registry/port.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { ADMIN, openBench, type Bench } from '../lab/harbor/harness.ts';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';

const RETRY = { retries: 1, firstDelay: 5 };
const ADMIN_ACCOUNT = { username: ADMIN.name, password: ADMIN.password };

let bench: Bench;
let host: string;
const open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  bench = await openBench();
  host = new URL(bench.harbor.url).host;
});
afterAll(async () => {
  for (const thing of open) await thing.close();
  await bench.close();
});

function api(account: RegistryAccount | undefined = ADMIN_ACCOUNT): OpenHarborApi {
  const harbor = createHarborApi({ host, role: 'site', retry: RETRY, account });
  open.push(harbor);
  return harbor;
}

it('knows a Harbor by its version, and any other registry by the lack of one', async () => {
  expect(await api().version()).toMatch(/^v2\./);
  const plain = await startMemoryRegistry();
  open.push(plain);
  const connection = await openSiteRegistry({ host: plain.host, retry: RETRY });
  open.push(connection);
  expect(connection.harbor).toBeUndefined();
  await expect(openSiteRegistry({ host: plain.host, retry: RETRY }, 'harbor')).rejects.toThrowWithCode(
    'E_HARBOR',
    'registry.type',
  );
});

it('says that the account was not let in, though Harbor itself answers 200', async () => {
  const wrong = api({ ...ADMIN_ACCOUNT, password: 'not-the-password' });
  await expect(wrong.version()).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'admin');
  await expect(wrong.hasProject('library')).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'admin');
});

it('makes a project once, whoever else makes it at the same time, also one named like an id', async () => {
  const harbor = api();
  expect(await harbor.hasProject('quay.io')).toBe(false);
  const made = await Promise.all([1, 2, 3].map(() => harbor.ensureProject('quay.io')));
  expect(made.filter((mine) => mine)).toHaveLength(1);
  expect(await harbor.ensureProject('quay.io')).toBe(false);
  expect(await harbor.ensureProject('123')).toBe(true);
  expect(await harbor.quotaLeft('123')).toBeUndefined();
});

it('tells how much room a quota leaves', async () => {
  await bench.project('small', { storage_limit: 5000 });
  await bench.pushBlob('small/app', Buffer.alloc(1200, 'x'));
  expect(await api().quotaLeft('small')).toBe(3800);
});

it('renews the pull account: the new secret pulls, the old one and a push are refused', async () => {
  const harbor = api();
  await harbor.ensureProject('nodes');
  const image = await bench.pushImage('nodes/app', 'v1');
  const first = await harbor.robots.renewPull('deliver-plant-7', ['nodes']);
  const second = await harbor.robots.renewPull('deliver-plant-7', ['nodes']);
  expect(second.username).toBe('robot$deliver-plant-7');
  const as = (account: RegistryAccount): ReturnType<typeof createRegistry> => {
    const registry = createRegistry({ host, role: 'site', retry: RETRY, account });
    open.push(registry);
    return registry;
  };
  expect(await as(second).headManifest('nodes/app', 'v1')).toBe(image.digest);
  await expect(as(first).headManifest('nodes/app', 'v1')).rejects.toThrowWithCode('E_REGISTRY_AUTH');
  const push = as(second).putManifest('nodes/app', 'v2', image.mediaType, image.bytes);
  await expect(push).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'robot$deliver-plant-7');
  // An account that may only pull can neither make projects nor see the quota.
  await expect(api(second).ensureProject('more')).rejects.toThrowWithCode('E_HARBOR', 'not allowed');
  expect(await api(second).quotaLeft('nodes')).toBeUndefined();
});

it('names what is not healthy, though the answer is 200', async () => {
  expect(await api().unhealthy()).toEqual([]);
});

it('keeps passwords out of every error', async () => {
  const error = await api({ username: 'admin', password: 'very-secret-word' })
    .ensureProject('x')
    .catch((caught: unknown) => caught);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('very-secret-word');
  expect(JSON.stringify(error)).not.toContain(Buffer.from('admin:very-secret-word').toString('base64'));
});
