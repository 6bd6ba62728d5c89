import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchArgv, type ArgvReport } from './support/argv-watch.ts';
import { HARBOR, packBare } from './support/bare-releases.ts';
import { kubectlOn, nodesOf, prepareBare, writeBareSite, type BareSetting } from './support/bare.ts';
import type { Outcome } from './support/deliver.ts';
import { installedHarbor, type InstalledHarbor } from './support/harbor-api.ts';
import { gatekeeperAnswers } from './support/ingress-probe.ts';
import { keepFigures, stepTimes } from './support/install-events.ts';
import { escapes, onHost } from './support/lab.ts';
import type { PackedRelease } from './support/releases.ts';
import { filesWith, hostFilesWith, journalsWith } from './support/secret-search.ts';

const HOSTS = ['cp1', 'w1', 'reg1'] as const;
const PODS = 'robot$deliver.bare.bare-site';
const NODES = 'robot$deliver-nodes.bare.bare-site';
/** Where Harbor itself keeps what it was first started with; only root may read it. */
const HARBORS_OWN = ['reg1:/var/lib/deliver/harbor/', 'reg1:/var/lib/harbor/'];

/** The installer is the lab's stand-in for Harbor's, run by a real dockerd and compose. */
describe('three hosts with nothing but sshd, one of them for Harbor', () => {
  let setting: BareSetting;
  let harbor: InstalledHarbor;
  let packed: PackedRelease;
  let site: string;
  let plan: Outcome;
  let first: Outcome;
  let argv: ArgvReport;

  const install = (...args: string[]) => setting.deliver(['install', packed.bundle, '--site', site, '--yes', ...args]);

  beforeAll(async () => {
    setting = await prepareBare();
    packed = await packBare(setting, { kubernetes: 'v1.34.4', registryKind: 'harbor' });
    site = await writeBareSite(setting, 'harbor', {
      registryKind: 'harbor',
      registry: { projects: [{ name: 'media', quota: '1Gi' }] },
    });
    plan = await setting.deliver(['plan', packed.bundle, '--site', site]);
    const stop = watchArgv([setting.planted.registry, setting.planted.app, setting.planted.sudo]);
    first = await install('--json');
    argv = stop();
  }, 1_200_000);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it('are planned with who pushes and what is set up, before there is a Harbor to ask', () => {
    expect(plan.code, plan.text).toBe(0);
    expect(plan.words).toContain(`Harbor ${HARBOR.harbor}`);
    expect(plan.words).toContain('push as robot deliver-push.bare.bare-site');
    expect(plan.words).toContain('project media');
    expect(plan.words).toContain('tags of registry.k8s.io immutable');
  });

  it('become a cluster that runs from that Harbor, with the app answering under both nip.io hosts', async () => {
    expect(first.code, first.text).toBe(0);
    await keepFigures('bare install with Harbor, milliseconds', stepTimes(first));
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4']);
    const [one, two] = await gatekeeperAnswers(setting.lab);
    expect(one).toMatchObject({ app: 'gatekeeper', version: 'v362', port: '8000' });
    expect(two).toMatchObject({ app: 'gatekeeper', version: 'v362', port: '8080' });
    harbor = await installedHarbor(setting);
    expect(await harbor.get('/systeminfo')).toMatchObject({ harbor_version: HARBOR.harbor });
    expect(await harbor.projects()).toEqual(expect.arrayContaining(['registry.k8s.io', 'project', 'media']));
    expect(await harbor.get('/projects/media/summary')).toMatchObject({ quota: { hard: { storage: 2 ** 30 } } });
  });

  it('pods and nodes have an account each that may only pull; the one that pushed is gone', async () => {
    const robots = await harbor.robots();
    expect(robots.map(({ name }) => name).sort()).toEqual([NODES, PODS]);
    const rights = robots.flatMap(({ permissions }) => permissions.flatMap(({ access }) => access));
    expect(new Set(rights.map(({ resource, action }) => `${resource}:${action}`))).toEqual(new Set(['repository:pull']));
    const places = robots.flatMap(({ permissions }) => permissions.map(({ namespace }) => namespace));
    expect(places).not.toContain('*');
    expect(places).not.toContain('media');
  });

  it('released tags may not move, in every project that the release fills', async () => {
    for (const project of ['registry.k8s.io', 'project']) {
      expect(await harbor.rules(project), project).toMatchObject([{ disabled: false, tag_selectors: [{ pattern: 'sha256-*' }] }]);
    }
    expect(await harbor.rules('media')).toEqual([]);
  });

  it('installed again, change nothing: not a container, not an account, not an object', async () => {
    const jsonpath = 'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion} {end}';
    const state = async () => [
      await kubectlOn(setting.lab, 'cp1', 'get', 'sts,deploy,ds,svc,ing,cm,secret', '-n', 'project', '-o', jsonpath),
      await onHost(setting.lab, 'reg1', 'PATH=$PATH:/usr/local/bin docker ps -q --no-trunc | sort'),
      ...(await Promise.all(HOSTS.map((host) => onHost(setting.lab, host, 'cat /var/lib/deliver/host.json')))),
      await harbor.robots(),
    ];
    const before = await state();
    const began = performance.now();
    const again = await install();
    expect(again.code, again.text).toBe(0);
    expect(again.words).toContain('nothing was changed');
    expect(await state()).toEqual(before);
    await keepFigures('the same install with Harbor again, milliseconds', Math.round(performance.now() - began));
  });

  it('show no robot’s secret at the operator’s machine or in a journal; nodes keep theirs for root alone', async () => {
    const hosts =
      "find /etc/containerd/certs.d -name hosts.toml -perm /077 -exec grep -l Basic {} +; grep -rhoE 'Basic [A-Za-z0-9+/=]+' /etc/containerd/certs.d | sort -u";
    const headers = (await onHost(setting.lab, 'w1', hosts)).trim().split('\n');
    expect(headers).toHaveLength(1);
    const nodes = Buffer.from((headers[0] ?? '').replace('Basic ', ''), 'base64').toString();
    expect(nodes.startsWith(`${NODES}:`)).toBe(true);
    const jsonpath = 'jsonpath={.data.\\.dockerconfigjson}';
    const text = await kubectlOn(setting.lab, 'cp1', 'get', 'secret', 'deliver-pull-bare-site', '-n', 'project', '-o', jsonpath);
    const pods = /"password":"([^"]+)"/.exec(Buffer.from(text, 'base64').toString())?.[1] ?? '';
    expect(pods).toMatch(/^\S{8,}$/);
    const secrets = [nodes.slice(nodes.indexOf(':') + 1), pods];
    for (const secret of secrets) expect(first.text).not.toContain(secret);
    expect(filesWith(secrets, [setting.folder])).toEqual([]);
    expect(await journalsWith(setting.lab, HOSTS, secrets)).toEqual([]);
  });

  it('keep the administrator’s password nowhere but in Harbor’s own files, for root alone', async () => {
    const { registry, app, sudo } = setting.planted;
    expect(argv.leaks).toEqual([]);
    for (const secret of [registry, app, sudo]) expect(first.text).not.toContain(secret);
    expect(await journalsWith(setting.lab, HOSTS, [registry, app, sudo])).toEqual([]);
    expect(filesWith([registry, app, sudo], [setting.folder])).toEqual([]);
    const found = hostFilesWith(setting.lab, [registry, app, sudo]);
    expect(found.filter((file) => !HARBORS_OWN.some((folder) => file.startsWith(folder)))).toEqual([]);
    expect(found).toContain(`reg1:/var/lib/deliver/harbor/${HARBOR.harbor}/harbor/harbor.yml`);
    const files = found.map((file) => file.slice('reg1:'.length));
    expect(await onHost(setting.lab, 'reg1', `find ${files.join(' ')} -perm /077`)).toBe('');
  });

  it('asked nothing of the world outside', () => {
    expect(escapes()).toBe(0);
  });
});
