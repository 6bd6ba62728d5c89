import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { ADMINISTRATOR, openHarborBench, RETRY, type HarborBench } from '../support/harbor-bench.ts';

let bench: HarborBench;
beforeAll(async () => {
  bench = await openHarborBench();
});
afterAll(() => bench.close());

it('knows a Harbor by its version, and any other registry by the lack of one', async () => {
  expect(await bench.harborAs().version()).toMatch(/^v2\./);
  const plain = bench.closing(await startMemoryRegistry());
  const connection = bench.closing(await openSiteRegistry({ host: plain.host, retry: RETRY }));
  expect(connection.harbor).toBeUndefined();
  await expect(openSiteRegistry({ host: plain.host, retry: RETRY }, 'harbor')).rejects.toThrowWithCode(
    'E_HARBOR',
    'registry.type',
  );
});

it('says that the account was not let in, though Harbor itself answers 200', async () => {
  const wrong = bench.harborAs({ ...ADMINISTRATOR, password: 'not-the-password' });
  await expect(wrong.version()).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'admin');
  await expect(wrong.hasProject('library')).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'admin');
});

it('makes a project once, whoever else makes it at the same time, also one named like an id', async () => {
  const harbor = bench.harborAs();
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
  expect(await bench.harborAs().quotaLeft('small')).toBe(3800);
});

it('renews the pull account: the new secret pulls, the old one and a push are refused', async () => {
  const harbor = bench.harborAs();
  await harbor.ensureProject('nodes');
  const image = await bench.pushImage('nodes/app', 'v1');
  const first = await harbor.robots.renewPull('deliver-plant-7', ['nodes']);
  const second = await harbor.robots.renewPull('deliver-plant-7', ['nodes']);
  expect(second.username).toBe('robot$deliver-plant-7');
  expect(await bench.registryAs(second).headManifest('nodes/app', 'v1')).toBe(image.digest);
  await expect(bench.registryAs(first).headManifest('nodes/app', 'v1')).rejects.toThrowWithCode('E_REGISTRY_AUTH');
  const push = bench.registryAs(second).putManifest('nodes/app', 'v2', image.mediaType, image.bytes);
  await expect(push).rejects.toThrowWithCode('E_REGISTRY_AUTH', 'robot$deliver-plant-7');
  // An account that may only pull can neither make projects nor see the quota.
  await expect(bench.harborAs(second).ensureProject('more')).rejects.toThrowWithCode('E_HARBOR', 'not allowed');
  expect(await bench.harborAs(second).quotaLeft('nodes')).toBeUndefined();
});

it('names what is not healthy, though the answer is 200', async () => {
  expect(await bench.harborAs().unhealthy()).toEqual([]);
});

it('keeps passwords out of every error', async () => {
  const error = await bench
    .harborAs({ username: 'admin', password: 'very-secret-word' })
    .ensureProject('x')
    .catch((caught: unknown) => caught);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('very-secret-word');
  expect(JSON.stringify(error)).not.toContain(Buffer.from('admin:very-secret-word').toString('base64'));
});
