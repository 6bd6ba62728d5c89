import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { baseOfLock } from '../../src/bundle/base-of-lock.ts';
import { deltaSince } from '../../src/bundle/delta.ts';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { SILENT } from '../../src/core/report.ts';
import { pushFlow } from '../../src/flows/push.ts';
import { registryChecks } from '../../src/flows/preflight/registry.ts';
import type { ReleaseSession } from '../../src/flows/release-session.ts';
import { refuseFailed } from '../../src/flows/preflight/site.ts';
import type { SitePorts } from '../../src/flows/site-ports.ts';
import type { PushResult } from '../../src/registry/push-content.ts';
import { planPush } from '../../src/registry/push-plan.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { ADMIN } from '../lab/harbor/harness.ts';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import type { ReleaseSpec, TestRelease } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { noise } from '../support/images.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { openPushBench, RETRY, type PushBench } from '../support/push-bench.ts';
import { suiteVersion } from '../support/versions.ts';

const never = new AbortController().signal;
const old = suiteVersion('3.6.1');
const next = suiteVersion('3.6.2');
const account = { username: ADMIN.name, password: ADMIN.password };
let bench: PushBench;

beforeEach(async () => {
  bench = await openPushBench();
});
afterEach(() => bench.close());

async function bundleOf({ lock, content }: TestRelease, base?: TestRelease): Promise<string> {
  const plan = planBundle(lock, [], base === undefined ? undefined : deltaSince(lock, baseOfLock(base.lock)));
  const path = join(await folderWith(), plan.fileName);
  await writeBundle(plan, path, new MemoryOrigins(content));
  return path;
}

async function push(path: string, host = bench.host): Promise<PushResult> {
  const ports = {
    openBundle,
    checkTrust: () => 'release@corp',
    openRegistry: (to: string) => openSiteRegistry({ host: to, account, retry: RETRY }),
  };
  const flow = pushFlow({ bundlePath: path, to: host }, ports);
  for (const step of flow.steps) await step.run(SILENT, never);
  return flow.result();
}

const changes = (): string[] => bench.newRequests().filter((request) => !/^(?:HEAD|GET) /.test(request));

it('pushes a delta on top of its base: the new blobs alone, and every tag pulls whole', async () => {
  await push(await bundleOf(old));
  bench.newRequests();
  const result = await push(await bundleOf(next, old));
  // gatekeeper's new layer and config, and those of the new image.
  expect(result).toMatchObject({ pushedBlobs: 4, presentImages: 2, taggedImages: 2 });
  expect(result.pushedBytes).toBeLessThan(40_000);
  const again = await push(await bundleOf(next));
  expect(again).toMatchObject({ pushedBlobs: 0, taggedImages: 0 });
});

it('mounts a blob that only an image which did not change holds', async () => {
  await push(await bundleOf(old));
  const result = await push(await bundleOf(next, old));
  expect(result.mountedBlobs).toBe(1);
  const layer = next.lock.images.find(({ reference }) => reference.includes('proxy'))?.blobs[1]?.digest ?? '';
  const { status } = await bench.ask('HEAD', `/v2/docker.io/library/proxy/blobs/${layer}`);
  expect(status).toBe(200);
});

it('refuses a delta without its base, naming images, then digests, and changes nothing', async () => {
  bench.newRequests();
  const path = await bundleOf(next, old);
  const omitted = planBundle(next.lock, [], deltaSince(next.lock, baseOfLock(old.lock))).delta?.omitted ?? [];
  const work = push(path);
  await expect(work).rejects.toThrowWithCode(
    'E_BASE_MISSING',
    /3 blobs that the registry lacks[\s\S]*gatekeeper-suite 3\.6\.1[\s\S]*image docker\.io\/library\/busybox:1\.36 needs 3 blobs[\s\S]*sha256:/,
  );
  await expect(push(path)).rejects.toThrowWithCode('E_BASE_MISSING', omitted[0]?.digest);
  expect(changes()).toEqual([]);
  expect([...bench.registry.content.repositories.keys()]).toEqual([]);
});

it('chains: a delta on a delta needs nothing but what lies on site', async () => {
  const layers = [noise(600_000, 'base layer'), noise(30_000, 'gatekeeper 3.6.2'), noise(700, 'gatekeeper 3.6.3')];
  const more: Partial<ReleaseSpec> = { images: [{ reference: 'dockerhub.kubekey.local/project/gatekeeper:v363', layers }] };
  const third = suiteVersion('3.6.2', { ...more, version: '3.6.3' });
  await push(await bundleOf(old));
  await push(await bundleOf(next, old));
  expect(await push(await bundleOf(third, next))).toMatchObject({ pushedBlobs: 2, taggedImages: 1 });
  await expect(push(await bundleOf(third, next), (await emptyRegistry()).host)).rejects.toThrowWithCode('E_BASE_MISSING');
});

it('works on a registry that is no Harbor', async () => {
  const { host } = await emptyRegistry();
  await expect(push(await bundleOf(next, old), host)).rejects.toThrowWithCode('E_BASE_MISSING');
  await push(await bundleOf(old), host);
  expect(await push(await bundleOf(next, old), host)).toMatchObject({ taggedImages: 2 });
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
});

async function emptyRegistry(): Promise<{ readonly host: string }> {
  const registry = await startMemoryRegistry();
  open.push(registry);
  return registry;
}

/** The registry's part of the preflights of plan and install. */
async function preflight(path: string): Promise<Awaited<ReturnType<typeof registryChecks>>> {
  const bundle = await openBundle(path);
  const registry = await openSiteRegistry({ host: bench.host, account, retry: RETRY });
  const session = { bundle, push: planPush(bundle.lock, { registryHost: bench.host }) } as unknown as ReleaseSession;
  const site = { metadata: { name: 'plant-7' }, registry: { host: bench.host, username: ADMIN.name } };
  const ports = { loaded: { site }, registry: () => Promise.resolve(registry) } as unknown as SitePorts;
  try {
    return await registryChecks(session, ports, never, () => undefined);
  } finally {
    await Promise.all([bundle.close(), registry.close()]);
  }
}

it('is refused by the preflights of plan and install when the base is missing, and passes when it is there', async () => {
  const path = await bundleOf(next, old);
  const checks = await preflight(path);
  expect(() => {
    refuseFailed(checks);
  }).toThrowWithCode('E_BASE_MISSING', /base of the delta: 3 blobs[\s\S]*Nothing was changed[\s\S]*busybox:1\.36 needs 3 blobs/);
  expect(changes()).toEqual([]);
  await push(await bundleOf(old));
  const passed = (await preflight(path)).find(({ id }) => id === 'registry-base');
  expect(passed).toMatchObject({ outcome: 'pass', found: 'gatekeeper-suite 3.6.1, 3 blobs left out' });
  expect((await preflight(await bundleOf(old))).some(({ id }) => id === 'registry-base')).toBe(false);
});
