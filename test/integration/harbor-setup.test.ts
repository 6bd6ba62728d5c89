import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT } from '../../src/core/report.ts';
import { Secret } from '../../src/core/secret.ts';
import { harborRuns, planHarborSetup, setUpHarbor } from '../../src/flows/install/harbor-setup.ts';
import type { ReleaseSession } from '../../src/flows/release-session.ts';
import type { LoadedSite } from '../../src/manifest/load-site.ts';
import type { SiteRegistry } from '../../src/manifest/site-registry-schema.ts';
import type {
  HarborSetup,
  PreheatPolicy,
  RegistryAccount,
  ReplicationPolicy,
  SiteRegistryConnection,
} from '../../src/registry/port.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { bodyProblems, templateOf } from '../lab/harbor/openapi.ts';
import { ADMINISTRATOR, openHarborBench, RETRY, type HarborBench } from '../support/harbor-bench.ts';

let bench: HarborBench;
beforeAll(async () => {
  bench = await openHarborBench();
});
afterAll(() => bench.close());

function setup(account?: RegistryAccount): HarborSetup {
  return bench.harborAs(account).setup;
}

describe('projects', () => {
  it('are made with their quota, changed where they differ, and left alone when they don’t', async () => {
    expect(await setup().project('media', { quota: 5_000_000 })).toBe(true);
    expect(await setup().project('media', { quota: 5_000_000, public: false })).toBe(false);
    expect(await setup().project('media', { quota: 9_000_000 })).toBe(true);
    expect(await setup().project('media', { public: true })).toBe(true);
    // What is not given stays.
    expect(await setup().project('media', {})).toBe(false);
    const project = (await bench.api('GET', '/projects/media')).json;
    expect(project).toMatchObject({ metadata: { public: 'true' } });
    expect((await bench.api('GET', '/projects/media/summary')).json).toMatchObject({ quota: { hard: { storage: 9_000_000 } } });
  });
});

describe('immutable tags', () => {
  it('are one rule per project, and a moved tag is refused from then on', async () => {
    await bench.project('released');
    const first = await bench.pushImage('released/app', 'v1');
    expect(await setup().immutableTags('released', true)).toBe(true);
    expect(await setup().immutableTags('released', true)).toBe(false);
    const registry = bench.registryAs();
    const other = await bench.pushImage('released/app', 'v2', 'other');
    await expect(registry.putManifest('released/app', 'v1', other.mediaType, other.bytes)).rejects.toThrowWithCode(
      'E_REGISTRY_IMMUTABLE',
    );
    // Harbor refuses the very same content too; a push sees that it is there already.
    await registry.putManifest('released/app', 'v1', first.mediaType, first.bytes);
    expect(await registry.headManifest('released/app', 'v1')).toBe(first.digest);
    // By such a tag a signature is found: a second one joins it.
    const signature = `${first.digest.replace(':', '-')}.sig`;
    for (const { mediaType, bytes } of [first, other]) await registry.putManifest('released/app', signature, mediaType, bytes);
    expect(await setup().immutableTags('released', false)).toBe(true);
    expect(await setup().immutableTags('released', false)).toBe(false);
    await registry.putManifest('released/app', 'v1', other.mediaType, other.bytes);
  });

  it('are there already where somebody made a rule for all tags; a rule for some is left alone', async () => {
    await bench.project('ruled');
    const rule = (pattern: string) => ({
      disabled: false,
      action: 'immutable',
      template: 'immutable_template',
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern }],
      scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
    });
    await bench.api('POST', '/projects/ruled/immutabletagrules', { json: rule('v*') });
    expect(await setup().immutableTags('ruled', false)).toBe(false);
    await bench.api('POST', '/projects/ruled/immutabletagrules', { json: rule('**') });
    expect(await setup().immutableTags('ruled', true)).toBe(false);
  });
});

const REPLICATION: ReplicationPolicy = {
  name: 'to-plant-8',
  direction: 'push',
  remote: { url: 'https://harbor.plant-8.example', account: { username: 'robot$in', password: 'Far-away-77' }, insecure: false },
  repositories: 'docker.io/**',
  trigger: { cron: '0 0 2 * * *' },
  override: true,
  speed: 0,
};

describe('replication', () => {
  it('is set up once with its endpoint, keeps paths as they are, and follows the site file', async () => {
    expect(await setup().replication(REPLICATION)).toBe(true);
    expect(await setup().replication(REPLICATION)).toBe(false);
    const slower = { ...REPLICATION, speed: 2048, trigger: 'event' as const };
    expect(await setup().replication(slower)).toBe(true);
    expect(await setup().replication(slower)).toBe(false);
    const [policy] = (await bench.api('GET', '/replication/policies?name=to-plant-8')).json as object[];
    expect(policy).toMatchObject({
      dest_namespace_replace_count: 0,
      speed: 2048,
      trigger: { type: 'event_based' },
      filters: [{ type: 'name', value: 'docker.io/**' }],
      dest_registry: { url: 'https://harbor.plant-8.example', credential: { access_key: 'robot$in' } },
    });
  });

  it('is found again behind more policies with its name in theirs than Harbor lists at once', async () => {
    for (let number = 1; number <= 100; number++)
      await setup().replication({ ...REPLICATION, name: `nightly-${String(number)}` });
    const nightly = { ...REPLICATION, name: 'nightly' };
    expect(await setup().replication(nightly)).toBe(true);
    expect(await setup().replication(nightly)).toBe(false);
  });

  it('moves its endpoint to another address', async () => {
    const pull = { ...REPLICATION, name: 'from-hq', direction: 'pull' as const };
    await setup().replication(pull);
    const moved = { ...pull, remote: { ...pull.remote, url: 'https://hq.example' } };
    expect(await setup().replication(moved)).toBe(true);
    expect(await setup().replication(moved)).toBe(false);
    const [policy] = (await bench.api('GET', '/replication/policies?name=from-hq')).json as object[];
    expect(policy).toMatchObject({ src_registry: { url: 'https://hq.example' } });
  });

  it('names what an account lacks that may not do this', async () => {
    const pull = await bench.harborAs().robots.renewPull('only-pulls', ['library']);
    await expect(setup(pull).replication({ ...REPLICATION, name: 'no' })).rejects.toThrowWithCode('E_HARBOR', 'not allowed');
  });
});

const PREHEAT: PreheatPolicy = {
  name: 'warm',
  project: 'library',
  provider: { name: 'dragonfly', vendor: 'dragonfly', endpoint: 'https://dragonfly.example', insecure: false },
  tags: 'v*',
  trigger: 'event',
};

describe('P2P preheat', () => {
  it('is set up once with its provider, and follows the site file', async () => {
    expect(await setup().preheat(PREHEAT)).toBe(true);
    expect(await setup().preheat(PREHEAT)).toBe(false);
    expect(await setup().preheat({ ...PREHEAT, trigger: { cron: '0 0 3 * * *' } })).toBe(true);
    const account = { username: 'p2p', password: 'Peer-to-peer-1' };
    expect(await setup().preheat({ ...PREHEAT, provider: { ...PREHEAT.provider, account } })).toBe(true);
    const policy = (await bench.api('GET', '/projects/library/preheat/policies/warm')).json as { filters: string };
    expect(JSON.parse(policy.filters)).toEqual([
      { type: 'repository', value: '**' },
      { type: 'tag', value: 'v*' },
    ]);
    await expect(setup().preheat({ ...PREHEAT, project: 'nowhere' })).rejects.toThrowWithCode('E_HARBOR', 'no project nowhere');
  });
});

it('shows the last run of each policy', async () => {
  const policies = [
    { kind: 'replication', name: 'to-plant-8' },
    { kind: 'preheat', name: 'warm', project: 'library' },
    { kind: 'replication', name: 'to-plant-9' },
  ] as const;
  expect((await setup().lastRuns(policies)).map(({ state }) => state)).toEqual(['never', 'never', 'missing']);
  const [policy] = (await bench.api('GET', '/replication/policies?name=to-plant-8')).json as { id: number }[];
  await bench.api('POST', '/replication/executions', { json: { policy_id: policy?.id } });
  await bench.api('POST', '/projects/library/preheat/policies/warm', { json: { name: 'warm' } });
  const runs = await setup().lastRuns(policies);
  expect(runs.map(({ state }) => state)).toEqual(['done', 'done', 'missing']);
  expect(runs[0]?.figures).toEqual({ total: 1, done: 1, failed: 0 });
});

it('pushes with a robot that may do that and nothing else', async () => {
  await bench.project('pushed');
  const image = await bench.pushImage('library/app', 'v1');
  const robot = await bench.harborAs().robots.renewPush('deliver.plant-7.push', ['pushed', 'library']);
  const registry = bench.registryAs(robot);
  await registry.putManifest('library/app', 'v2', image.mediaType, image.bytes);
  expect(await registry.headManifest('library/app', 'v2')).toBe(image.digest);
  await expect(setup(robot).project('more', {})).rejects.toThrowWithCode('E_HARBOR');
  const login = { name: robot.username, password: robot.password };
  expect((await bench.ask('DELETE', `/v2/library/app/manifests/${image.digest}`, { as: login })).status).toBe(401);
});

it('sends only what Harbor’s own description of its API knows', () => {
  const sent = bench.harbor.requests.filter(({ method }) => method === 'POST' || method === 'PUT');
  expect(sent.length).toBeGreaterThan(10);
  for (const { path, status } of sent) {
    if (path.startsWith('/api/v2.0') && status < 300) expect(templateOf(path.replace('/api/v2.0', ''))).not.toBeNull();
  }
  // The front checks every body against it; here is the proof that such a check can fail.
  expect(bodyProblems('POST', '/replication/policies', { name: 7 })).not.toEqual([]);
});

describe('what a site file asks of its Harbor', () => {
  const site = loadedSite({
    host: 'hub.site.local',
    projects: [{ name: 'asked', quota: '1Gi', public: true }],
    immutableTags: true,
    replication: [{ name: 'asked-for', registry: { url: 'https://b.example', username: 'u', password: '${secret.remote}' } }],
    preheat: [
      { name: 'asked-for', project: 'asked', provider: { name: 'kraken', vendor: 'kraken', endpoint: 'https://k.example' } },
    ],
  });
  const portsOf = (loaded: LoadedSite): Parameters<typeof setUpHarbor>[1] => ({
    loaded,
    secrets: { get: () => new Secret('Remote-secret-1') },
    registry: () => registry,
  });
  const session = { push: { projects: ['released-2'] } } as unknown as ReleaseSession;
  let registry: Promise<SiteRegistryConnection>;
  beforeAll(async () => {
    registry = openSiteRegistry({ host: bench.host, retry: RETRY, account: ADMINISTRATOR });
    bench.closing(await registry);
  });
  const writes = () => bench.harbor.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD').length;

  it('is planned without a change, is there after the first run, and the second changes nothing', async () => {
    const wanted = ['project asked', 'tags of released-2 immutable', 'replication asked-for', 'preheat asked-for'];
    const before = writes();
    expect(await planHarborSetup(session, portsOf(site), true)).toEqual(wanted);
    expect(writes()).toBe(before);
    expect(await setUpHarbor(session, portsOf(site), SILENT)).toEqual(wanted);
    expect(await planHarborSetup(session, portsOf(site), true)).toEqual([]);
    expect(await setUpHarbor(session, portsOf(site), SILENT)).toEqual([]);
    expect((await bench.api('GET', '/projects/asked/summary')).json).toMatchObject({ quota: { hard: { storage: 2 ** 30 } } });
    expect((await harborRuns(portsOf(site))).map(({ state }) => state)).toEqual(['never', 'never']);
  });

  it('is followed when it changes its mind: a quota, and tags that may move again', async () => {
    const other = loadedSite({ host: 'hub.site.local', projects: [{ name: 'asked', quota: '2Gi' }], immutableTags: false });
    expect(await planHarborSetup(session, portsOf(other), true)).toEqual(['project asked', 'tags of released-2 movable']);
    expect(await setUpHarbor(session, portsOf(other), SILENT)).toEqual(['project asked', 'tags of released-2 movable']);
    expect((await bench.api('GET', '/projects/released-2/immutabletagrules')).json).toEqual([]);
    expect(await planHarborSetup(session, portsOf(other), true)).toEqual([]);
  });

  it('of a Harbor that is still to be installed is all of it, with tags that may not move', async () => {
    const later = loadedSite({ host: 'hub.site.local', install: { kind: 'harbor' } });
    const before = bench.harbor.requests.length;
    expect(await planHarborSetup(session, portsOf(later), false)).toEqual(['tags of released-2 immutable']);
    expect(bench.harbor.requests).toHaveLength(before);
  });

  it('asks a Harbor nothing when it asks for nothing', async () => {
    const before = bench.harbor.requests.length;
    expect(await setUpHarbor(session, portsOf(loadedSite({ host: 'hub.site.local' })), SILENT)).toEqual([]);
    expect(bench.harbor.requests).toHaveLength(before);
  });
});

function loadedSite(registry: SiteRegistry): LoadedSite {
  const plain = { apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'plant-7' }, registry } as const;
  return { site: plain, folder: '/' } as unknown as LoadedSite;
}
