import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderPullSecret } from '../../src/apps/pull-secret.ts';
import type { KubeObject, KubeRef } from '../../src/cluster/port.ts';
import { redact, Secret } from '../../src/core/secret.ts';
import type { Report } from '../../src/core/report.ts';
import { harborChecks } from '../../src/flows/preflight/harbor.ts';
import { nodeAuthorization } from '../../src/flows/install/node-account.ts';
import { ensurePullAccount, findPullAccount } from '../../src/flows/install/pull-account.ts';
import { findPushAccount, openPushAccount } from '../../src/flows/install/push-account.ts';
import { pullStanding } from '../../src/flows/install/pull-standing.ts';
import { pushStep } from '../../src/flows/install/push-step.ts';
import type { ReleaseSession } from '../../src/flows/release-session.ts';
import type { SitePorts } from '../../src/flows/site-ports.ts';
import type { SiteRegistry } from '../../src/manifest/site-registry-schema.ts';
import type { RegistryAccount, SiteRegistryConnection } from '../../src/registry/port.ts';
import { measurePush } from '../../src/registry/push-need.ts';
import { planPush } from '../../src/registry/push-plan.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { authorizationIn, mirrorFiles, mirrorPath } from '../../src/site/mirrors/files.ts';
import { bareSession, bareSite } from '../support/bare-plan.ts';
import { ADMIN, openBench, type Bench } from '../lab/harbor/harness.ts';
import type { ConfiguredUser } from '../lab/harbor/config.ts';
import { buildImage } from '../support/images.ts';
import { memoryBundle, type MemoryBundle } from '../support/memory-bundle.ts';

const RETRY = { retries: 1, firstDelay: 5 };
const SIGNAL = new AbortController().signal;
const DAY = 86_400_000;
const BUSYBOX = 'docker.io/library/busybox:1.36';
const EXPORTER = 'quay.io/prometheus/exporter:v1';
const ROBOT = 'robot$deliver-push.plant-7.suite';
/** Member of two projects, who may push there and nothing else. */
const DEVELOPER: ConfiguredUser = {
  name: 'ci',
  password: 'Developer-77',
  roles: { 'docker.io': 'developer', 'quay.io': 'developer' },
};

let bench: Bench;
/** Milliseconds that Harbor's clock is ahead. */
let ahead = 0;
let open: SiteRegistryConnection[] = [];

beforeEach(async () => {
  ahead = 0;
  bench = await openBench({ users: [DEVELOPER] }, () => Date.now() + ahead);
});
afterEach(async () => {
  for (const connection of open) await connection.close();
  open = [];
  await bench.close();
});

const images = { [BUSYBOX]: buildImage({ seed: 'busybox' }), [EXPORTER]: buildImage({ seed: 'exporter' }) };

interface Site {
  readonly ports: SitePorts;
  readonly session: ReleaseSession;
  readonly bundle: MemoryBundle;
  /** Accounts that something was pushed as. */
  readonly used: RegistryAccount[];
}

async function siteWith(
  account: RegistryAccount = { username: ADMIN.name, password: ADMIN.password },
  bundle: MemoryBundle = memoryBundle(images),
  more: Partial<SiteRegistry> = {},
): Promise<Site> {
  const host = new URL(bench.harbor.url).host;
  const connection = await openSiteRegistry({ host, account, retry: RETRY });
  open.push(connection);
  const used: RegistryAccount[] = [];
  const openAs: SiteRegistryConnection['openAs'] = (other) => {
    used.push(other);
    return connection.openAs(other);
  };
  const site = { metadata: { name: 'plant-7' }, registry: { host, username: account.username, ...more } };
  const ports = { loaded: { site }, registry: () => Promise.resolve({ ...connection, openAs }) } as unknown as SitePorts;
  const push = planPush(bundle.lock, { registryHost: host });
  const session = { push, bundle, release: { metadata: { name: 'suite', version: '1' } } } as unknown as ReleaseSession;
  return { ports, session, bundle, used };
}

/** The registry step as install runs it. */
async function push({ ports, session, bundle }: Site): Promise<{ summary: string; notes: readonly string[] }> {
  const { writer, harbor } = await ports.registry();
  const notes: string[] = [];
  const report: Report = { progress: () => undefined, note: (text) => notes.push(text) };
  const openWriter = () => openPushAccount(session, ports);
  const input = { bundle, plan: session.push, writer, openWriter, ...(harbor === undefined ? {} : { harbor }) };
  const { summary } = await pushStep(
    () => input,
    () => undefined,
  ).run(report, SIGNAL);
  return { summary, notes };
}

async function robots(): Promise<readonly { name: string; duration: number; permissions: { namespace: string }[] }[]> {
  return (await bench.api('GET', '/robots')).json as Awaited<ReturnType<typeof robots>>;
}

function writesSince(count: number): string[] {
  const entries = bench.harbor.requests.slice(count).filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  return entries.map(({ method, path }) => `${method} ${path}`);
}

describe('a push with an administrator’s account', () => {
  it('is done by a robot for the projects of the release, that is gone afterwards', async () => {
    const site = await siteWith();
    let during: Awaited<ReturnType<typeof robots>> = [];
    const { stream } = site.bundle;
    Object.assign(site.bundle, {
      stream: async function* (...args: Parameters<typeof stream>) {
        during = await robots();
        yield* stream(...args);
      },
    });
    const { summary } = await push(site);
    expect(summary).toContain('2 images');
    expect(during).toMatchObject([
      { name: ROBOT, duration: 1, permissions: [{ namespace: 'docker.io' }, { namespace: 'quay.io' }] },
    ]);
    expect(site.used.map(({ username }) => username)).toEqual([ROBOT]);
    expect(await robots()).toEqual([]);
    const [robot] = site.used;
    if (robot === undefined) throw new Error('no robot');
    expect(await (await site.ports.registry()).accepts(robot, 'docker.io/library/busybox')).toBe(false);
    expect(redact(`x ${robot.password} y`)).toBe('x *** y');
  });

  it('that has nothing to send makes no robot, and writes nothing at all', async () => {
    await push(await siteWith());
    const before = bench.harbor.requests.length;
    const again = await siteWith();
    expect((await push(again)).summary).toContain('nothing to push');
    expect(writesSince(before)).toEqual([]);
    expect(again.used).toEqual([]);
  });

  it('takes the place of a robot that a killed run left behind', async () => {
    const site = await siteWith();
    const { harbor } = await site.ports.registry();
    await harbor?.ensureProject('docker.io');
    const left = await harbor?.robots.renewPush('deliver-push.plant-7.suite', ['docker.io']);
    await push(site);
    expect(site.used[0]?.password).not.toBe(left?.password);
    expect(await robots()).toEqual([]);
  });

  it('that outlives its robot gets a new one and goes on', async () => {
    const site = await siteWith();
    const { stream } = site.bundle;
    Object.assign(site.bundle, {
      stream: (...args: Parameters<typeof stream>) => {
        ahead ||= 2 * DAY;
        return stream(...args);
      },
    });
    const { notes } = await push(site);
    expect(notes).toEqual([expect.stringContaining('made anew')]);
    expect(site.used).toHaveLength(2);
    expect((await measurePush(site.session.push, await site.ports.registry())).items).toEqual([]);
    expect(await robots()).toEqual([]);
  });

  it('into a project whose tags are immutable changes nothing the second time, and is refused before it begins when a tag would move', async () => {
    const site = await siteWith();
    await push(site);
    const { harbor } = await site.ports.registry();
    await harbor?.setup.immutableTags('docker.io', true);
    expect((await push(site)).summary).toContain('nothing to push');

    const moved = memoryBundle({ ...images, [BUSYBOX]: buildImage({ seed: 'another busybox' }) });
    const checksOf = async (more: Partial<SiteRegistry>) => {
      const other = await siteWith(undefined, moved, more);
      return harborChecks(await measurePush(other.session.push, await other.ports.registry()), other.ports);
    };
    expect((await checksOf({})).filter(({ outcome }) => outcome === 'fail')).toMatchObject([
      { code: 'E_REGISTRY_IMMUTABLE', found: expect.stringContaining('docker.io/library/busybox:1.36 holds') as string },
    ]);
    expect((await checksOf({ immutableTags: false })).filter(({ outcome }) => outcome === 'fail')).toEqual([]);
  });
});

describe('a push with an account that may not make robots', () => {
  const developer = { username: DEVELOPER.name, password: DEVELOPER.password };

  it('goes on with that account, and the plan and a warning say so', async () => {
    await bench.project('docker.io');
    await bench.project('quay.io');
    const site = await siteWith(developer);
    expect(await findPushAccount(site.session, site.ports, true)).toEqual({ kind: 'own', name: 'ci' });
    const need = await measurePush(site.session.push, await site.ports.registry());
    expect(await harborChecks(need, site.ports)).toMatchObject([{ id: 'pull-account', outcome: 'warn' }]);
    expect((await push(site)).summary).toContain('2 images');
    expect(site.used).toEqual([]);
    expect(bench.harbor.requests.some(({ method, path }) => method === 'POST' && path.endsWith('/robots'))).toBe(false);
  });

  it('may be a robot itself; one that was given the right to make robots uses it', async () => {
    await bench.project('docker.io');
    await bench.project('quay.io');
    const access = ['pull', 'push'].map((action) => ({ resource: 'repository', action }));
    const robotWith = async (name: string, system: readonly string[]): Promise<RegistryAccount> => {
      const rights = [{ kind: 'project', namespace: '*', access: [...access, ...PUSHING] }];
      const ruling = { kind: 'system', namespace: '/', access: system.map((action) => ({ resource: 'robot', action })) };
      const permissions = [...rights, ...(system.length === 0 ? [] : [ruling])];
      const made = await bench.api('POST', '/robots', { json: { name, level: 'system', duration: -1, permissions } });
      const { name: username, secret } = made.json as { name: string; secret: string };
      return { username, password: secret };
    };
    const plain = await siteWith(await robotWith('ci', []));
    expect(await findPushAccount(plain.session, plain.ports, true)).toEqual({ kind: 'own', name: 'robot$ci' });
    // More robots than Harbor lists at once, the one that asks behind them all.
    for (let number = 1; number <= 100; number++) await robotWith(`other-${String(number)}`, []);
    const maker = await siteWith(await robotWith('maker', ['create', 'delete', 'list', 'read']));
    await push(maker);
    expect(maker.used.map(({ username }) => username)).toEqual([ROBOT]);
  });
});

/** What a push robot may beside pull and push. */
const PUSHING = ['artifact:read', 'artifact:list', 'tag:list', 'tag:create'].map((right) => {
  const [resource, action] = right.split(':');
  return { resource, action };
});

describe('the account that nodes pull with', () => {
  it('is let into a further project with the secret that it has, and is not good any more when it was removed', async () => {
    const first = await siteWith(undefined, memoryBundle({ [BUSYBOX]: buildImage({ seed: 'busybox' }) }));
    await push(first);
    const { harbor } = await first.ports.registry();
    const nodes = await harbor?.robots.renewPull('deliver-nodes.plant-7.suite', ['docker.io']);
    if (harbor === undefined || nodes === undefined) throw new Error('no Harbor');
    expect(await pullStanding(nodes, first.session, first.ports, SIGNAL)).toBe('all');

    const grown = await siteWith();
    expect(await pullStanding(nodes, grown.session, grown.ports, SIGNAL)).toBe('some');
    await push(grown);
    expect(await pullStanding(nodes, grown.session, grown.ports, SIGNAL)).toBe('some');
    expect(await harbor.robots.widenPull('deliver-nodes.plant-7.suite', ['docker.io', 'quay.io'])).toBe(true);
    expect(await pullStanding(nodes, grown.session, grown.ports, SIGNAL)).toBe('all');

    await harbor.robots.remove('deliver-nodes.plant-7.suite');
    expect(await pullStanding(nodes, grown.session, grown.ports, SIGNAL)).toBe('none');
    expect(await harbor.robots.widenPull('deliver-nodes.plant-7.suite', ['quay.io'])).toBe(false);
  });

  it('stays with the nodes when a release brings apps only, and is let into the projects of every release of the site', async () => {
    const base = await siteWith(undefined, memoryBundle({ [BUSYBOX]: buildImage({ seed: 'busybox' }) }));
    const apps = await siteWith();
    const host = new URL(bench.harbor.url).host;
    const node = { file: '' };
    const on = ({ ports }: Site): SitePorts => ({
      ...ports,
      loaded: {
        ...ports.loaded,
        site: {
          ...ports.loaded.site,
          hosts: [{ name: 'cp1', address: '10.89.3.11' }],
          roles: { 'control-plane': ['cp1'] },
          registry: { host, username: ADMIN.name, password: '${secret.harbor}' },
        },
      },
      secrets: { get: () => new Secret(ADMIN.password) },
      hosts: {
        connect: () =>
          Promise.resolve({
            readFile: (path: string) => Promise.resolve(path === mirrorPath(host) ? Buffer.from(node.file) : undefined),
          }),
      } as unknown as SitePorts['hosts'],
    });
    const write = (authorization: Secret | undefined): void => {
      const files = mirrorFiles({
        sourceHosts: [],
        registryHost: host,
        naming: () => '',
        ...(authorization === undefined ? {} : { authorization }),
      });
      node.file = files[0]?.content ?? '';
    };
    const release = (of: Site, name: string, components: Record<string, string> | undefined): ReleaseSession => ({
      ...of.session,
      release: { ...of.session.release, metadata: { name, version: '1' } },
      bundle: {
        ...of.bundle,
        lock: { ...of.bundle.lock, release: { kubernetes: { components } } },
      } as unknown as ReleaseSession['bundle'],
    });
    const cluster = release(base, 'base', { containerd: '2.1.4' });
    await push(base);
    // A cluster that deliver did not make gets nothing.
    expect(await nodeAuthorization(release(apps, 'apps', undefined), on(apps), true, SIGNAL)).toBeUndefined();
    write(await nodeAuthorization(cluster, on(base), true, SIGNAL));
    const first = node.file;
    expect(first).toContain('Authorization');

    await push(apps);
    write(await nodeAuthorization(release(apps, 'apps', undefined), on(apps), true, SIGNAL));
    expect(node.file).toBe(first);
    expect((await robots()).find(({ name }) => name === 'robot$deliver-nodes.plant-7.base')?.permissions).toHaveLength(2);
    expect((await nodeAuthorization(cluster, on(base), false, SIGNAL))?.reveal()).toBe(authorizationIn(first));
    expect((await robots()).filter(({ name }) => name.includes('nodes'))).toHaveLength(1);
  });
});

describe('the account that pods pull with', () => {
  it('is found again where only add-ons have it: a second install makes no other', async () => {
    const site = await siteWith();
    await push(site);
    const bareHosts = bareSite([
      { name: 'cp1', address: '10.89.3.11' },
      { name: 'reg1', address: '10.89.3.12' },
    ]);
    const bare = await bareSession(bareHosts);
    const { apps: _apps, ...release } = bare.release;
    const session: ReleaseSession = { ...bare, push: site.session.push, release };
    const cluster = new Map<string, KubeObject>();
    const api = { get: ({ namespace, name }: KubeRef) => Promise.resolve(cluster.get(`${namespace ?? ''}/${name}`)) };
    const full = { ...bareHosts, registry: site.ports.loaded.site.registry };
    const ports = {
      ...site.ports,
      loaded: { site: full },
      cluster: () => Promise.resolve(api),
    } as unknown as SitePorts;
    const made = await ensurePullAccount(session, ports, SIGNAL);
    if (made === undefined) throw new Error('no account');
    expect(made.origin).toBe('new');
    const secret = renderPullSecret('kube-flannel', made.account, ['docker.io'], 'bare-site');
    cluster.set(`kube-flannel/${secret.metadata.name}`, secret);
    expect(await findPullAccount(session, ports, SIGNAL)).toEqual({ account: made.account, origin: 'kept' });
  });
});
