import { describe, expect, it } from 'vitest';
import { NO_STYLE } from '../../../../src/cli/style.ts';
import { widthOf } from '../../../../src/cli/text.ts';
import { viewPlan } from '../../../../src/cli/views/plan.ts';
import type { KubernetesPlanItem, ObjectPlan, PlanResult } from '../../../../src/flows/plan/types.ts';
import type { SiteHost } from '../../../../src/manifest/site-schema.ts';
import { barePlan, bareSite } from '../../../support/bare-plan.ts';
import { scriptedHosts, type ScriptedHost } from '../../../support/scripted-hosts.ts';

const paths = { bundle: 'bundles/bare-site-1.34.4.tar', site: 'plant-7.yaml' };
const view = (plan: PlanResult, width = 80, verbose = false): string[] =>
  viewPlan(plan, { ...paths, verbose }, { style: NO_STYLE, width });
const text = (plan: PlanResult, verbose = false): string => view(plan, 80, verbose).join('\n');

async function planOf(names: readonly string[], controlPlanes = 1, hosts: Readonly<Record<string, ScriptedHost>> = {}) {
  const given = names.map((name, index): SiteHost => ({ name, address: `10.89.3.${String(11 + index)}` }));
  return barePlan(bareSite(given, controlPlanes), scriptedHosts(hosts), '/nonexistent');
}
const TEN = ['cp1', 'cp2', 'cp3', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'reg1'];

/** The same site when everything was done. */
function settled(plan: PlanResult, nodes: readonly KubernetesPlanItem[], version = 'v1.34.4'): PlanResult {
  const { build, registry } = plan;
  const done = (todos: PlanResult['build']['hosts']) =>
    todos.map((todo) => ({ ...todo, items: todo.items.map((item) => ({ ...item, done: true })) }));
  return {
    ...plan,
    registry: { ...registry, state: 'there', imagesToPush: 0, bytesToPush: 0 },
    build: {
      hosts: done(build.hosts),
      runtime: done(build.runtime),
      kubernetes: { from: version, to: 'v1.34.4', upgradeBatch: 1, nodes },
      changes: nodes.filter((node) => !node.done).length,
    },
    nodes: plan.nodes.map(({ host }) => ({ host, files: [] })),
    settled: nodes.filter((node) => node.done).map(({ host }) => host),
    cluster: 'there',
    objects: [{ ref: { apiVersion: 'v1', kind: 'Namespace', name: 'project' }, action: 'same', changes: [] }],
    unchanged: nodes.every((node) => node.done),
  };
}

describe('a plan for bare hosts', () => {
  it('of three fits a screen of 80 by 24: what each gets by what it is for, in the order of the install', async () => {
    const lines = view(await planOf(['cp1', 'w1', 'reg1']));
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "  bare-site 1.34.4 on plant-7 · 3 hosts · dockerhub.kubekey.local (to be made) ·
        Kubernetes v1.34.4 (to be made)

        Preflight        1 passed
        1 Hosts          cp1, w1: each kubeadm, kubelet and kubectl
                           v1.34.4 (194 MB), 1 unit, kernel settings, swap off,
                           /etc/hosts
        2 Runtime        cp1, w1: each 4 programs (117 MB), 1 unit, 2 files
        3 Registry host  reg1: registry v3.0.0 (24 MB), private CA and certificate
                           made, 1 unit, 2 files
        4 Registry       push 6 images, 325 MB, into the new registry
        5 Mirrors        cp1, w1: each 5 mirror files
        6 Kubernetes     v1.34.4, made by kubeadm
                         cp1: becomes the first control plane
                         w1: joins as worker
        7 Add-ons        network (6 objects), storage (9 objects), ingress
                           (6 objects), names (2 objects)
        8 Apps           project/gatekeeper
        To send          647 MB to 3 hosts, 325 MB into the registry
        Addresses        http://gatekeeper.project.10.86.67.11.nip.io
                         http://gatekeeper.project.10.86.68.66.nip.io

        Each: deliver plan bundles/bare-site-1.34.4.tar --site plant-7.yaml --verbose
        Go:   deliver install bundles/bare-site-1.34.4.tar --site plant-7.yaml"
    `);
  });

  it('of ten is hardly longer: hosts with the same work stand together', async () => {
    const lines = view(await planOf(TEN, 3));
    expect(lines.length).toBeLessThanOrEqual(30);
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
    expect(lines.join('\n')).toContain('cp2, cp3: join as control planes, one after the other');
    expect(lines.join('\n')).toContain('2.8 GB to 10 hosts, 325 MB into the registry');
  });

  it('keeps to a narrow terminal, but for names, paths and commands that are copied whole', async () => {
    const lines = view(await planOf(TEN, 3), 48);
    const long = lines.filter((line) => widthOf(line) > 48);
    expect(long.filter((line) => !/deliver (?:plan|install) |http:\/\//.test(line))).toEqual([]);
  });

  it('says never that there is nothing to push into a registry that is still to be made', async () => {
    const plan = await planOf(['cp1', 'w1', 'reg1']);
    expect(plan.registry).toMatchObject({ state: 'to-be-made', images: 6, imagesToPush: 6, bytesToPush: 325_320_000 });
    expect(text(plan)).toContain('push 6 images, 325 MB, into the new registry');
    expect(text(plan)).not.toContain('nothing to push');
  });

  it('names with --verbose every file and program, none cut, and has no hint at itself', async () => {
    const plan = await planOf(['cp1', 'w1', 'reg1']);
    const shown = text(plan, true);
    const open = [...plan.build.hosts, ...plan.build.runtime].flatMap(({ items }) => items).filter(({ done }) => !done);
    for (const { what } of open) expect(shown).toContain(what);
    for (const file of plan.nodes.flatMap(({ files }) => files)) expect(shown).toContain(file);
    expect(shown).toContain('kubelet v1.34.4 (59 MB)');
    expect(shown).not.toContain('--verbose');
  });

  it('has everything in its JSON: each thing on each host with kind, bytes and whether it is done', async () => {
    const plan = JSON.parse(JSON.stringify(await planOf(['cp1', 'w1', 'reg1']))) as PlanResult;
    expect(plan.build.hosts.map(({ host }) => host)).toEqual(['cp1', 'w1']);
    expect(plan.build.hosts[0]?.items).toContainEqual({
      kind: 'program',
      what: 'kubeadm v1.34.4',
      bytes: 74_000_000,
      done: false,
    });
    expect(plan.build.registry?.items).toContainEqual({
      kind: 'certificate',
      what: 'private CA and certificate made',
      done: false,
    });
    expect(plan.build.kubernetes?.nodes.map(({ host, action, role }) => [host, action, role])).toEqual([
      ['cp1', 'make', 'control-plane'],
      ['w1', 'join', 'worker'],
    ]);
    expect(plan.parts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'addon network',
      'addon storage',
      'addon ingress',
      'addon names',
      'app project/gatekeeper',
    ]);
  });

  it('says that a unit is restarted whose files a run that was cut off had changed', async () => {
    const record = { version: 1, files: {}, settings: [], units: [], due: [] };
    const look = [
      `record=${Buffer.from(JSON.stringify(record)).toString('base64')}`,
      `journal=${Buffer.from('due=containerd.service\n').toString('base64')}`,
      'unit=containerd.service|active|enabled|/etc/systemd/system/containerd.service|no',
    ];
    const plan = await planOf(['cp1', 'w1', 'reg1'], 1, { w1: { look } });
    expect(text(plan).replace(/\s+/g, ' ')).toContain(
      'w1: restart containerd.service: a run that was cut off changed its files, and it still runs with the old ones',
    );
    expect(plan.build.runtime.find(({ host }) => host === 'w1')?.items).toContainEqual({
      kind: 'unit',
      what: 'containerd.service running',
      done: false,
    });
    expect(view(plan).filter((line) => widthOf(line) > 80)).toEqual([]);
  });

  it('says that systemd is to read a unit again, and nothing of units that run as they are', async () => {
    const unit = (stale: string): string[] => [
      `unit=containerd.service|active|enabled|/etc/systemd/system/containerd.service|${stale}`,
    ];
    const plan = await planOf(['cp1', 'w1', 'reg1'], 1, { cp1: { look: unit('no') }, w1: { look: unit('yes') } });
    const shown = text(plan).replace(/\s+/g, ' ');
    expect(shown).toContain('w1: systemctl daemon-reload: systemd has not read containerd.service as it is now');
    expect(shown).not.toMatch(/cp1(?:, w1)?: (?:restart|systemctl)/);
  });

  it('gives no command when an install would stop at a host, and says why', async () => {
    const look = ['packaged=kubectl Client Version: v1.32.4'];
    const shown = text(await planOf(['cp1', 'w1', 'reg1'], 1, { w1: { look } }));
    expect(shown).toContain('w1: refused, kubectl 1.32.4 of the distribution’s');
    expect(shown).toContain('An install would stop at these hosts');
    expect(shown).not.toContain('Go:');
  });
});

describe('a plan for a site that deliver made', () => {
  const stays = (host: string, role: KubernetesPlanItem['role'], from = 'v1.34.4'): KubernetesPlanItem => ({
    host,
    role,
    action: 'keep',
    from,
    done: true,
  });

  it('numbers no step when nothing is to be done', async () => {
    const plan = settled(await planOf(['cp1', 'w1', 'reg1']), [stays('cp1', 'control-plane'), stays('w1', 'worker')]);
    expect(text(plan)).toMatchInlineSnapshot(`
      "  bare-site 1.34.4 on plant-7 · 3 hosts · dockerhub.kubekey.local ·
        Kubernetes v1.34.4

        Preflight        1 passed
          Hosts          no change
          Runtime        no change
          Registry       nothing to push; 6 are already there
          Mirrors        no change
          Kubernetes     v1.34.4
                         cp1: stays control plane
                         w1: stays worker
          Cluster        1 object stays as it is
        Addresses        http://gatekeeper.project.10.86.67.11.nip.io
                         http://gatekeeper.project.10.86.68.66.nip.io

        Nothing to do: the site is as this release wants it."
    `);
  });

  it('shows an upgrade host by host, and which host is left alone', async () => {
    const upgrade = (host: string, role: KubernetesPlanItem['role']): KubernetesPlanItem => ({
      host,
      role,
      action: 'upgrade',
      from: 'v1.33.13',
      done: false,
    });
    const nodes = [
      upgrade('cp1', 'control-plane'),
      upgrade('cp2', 'control-plane'),
      upgrade('cp3', 'control-plane'),
      upgrade('w1', 'worker'),
      upgrade('w2', 'worker'),
      stays('w3', 'worker'),
    ];
    const plan = settled(await planOf(TEN, 3), nodes, 'v1.33.13');
    expect(text({ ...plan, cluster: 'there' })).toMatchInlineSnapshot(`
      "  bare-site 1.34.4 on plant-7 · 10 hosts · dockerhub.kubekey.local ·
        Kubernetes v1.33.13 → v1.34.4

        Preflight        1 passed
          Hosts          no change
          Runtime        no change
          Registry       nothing to push; 6 are already there
          Mirrors        no change
        1 Kubernetes     v1.33.13 → v1.34.4, each host drained, upgraded, and
                           healthy before the next
                         cp1, cp2, cp3: control planes v1.33.13 → v1.34.4, one at a
                           time
                         w1, w2: workers v1.33.13 → v1.34.4, one at a time
                         w3: stays worker
          Cluster        1 object stays as it is
        Unchanged        w3
        Addresses        http://gatekeeper.project.10.86.67.11.nip.io
                         http://gatekeeper.project.10.86.68.66.nip.io

        Each: deliver plan bundles/bare-site-1.34.4.tar --site plant-7.yaml --verbose
        Go:   deliver install bundles/bare-site-1.34.4.tar --site plant-7.yaml"
    `);
  });
});

describe('new objects', () => {
  it('are counted by kind when they are many, and named with --verbose', async () => {
    const plan = settled(await planOf(['cp1', 'w1', 'reg1']), []);
    const objects = Array.from({ length: 30 }, (_, index): ObjectPlan => {
      const kind = index < 20 ? 'ConfigMap' : 'Service';
      return {
        ref: { apiVersion: 'v1', kind, namespace: 'project', name: `one-${String(index)}` },
        action: 'create',
        changes: [],
      };
    });
    expect(text({ ...plan, objects, unchanged: false })).toContain('+ 30 new: 20 ConfigMap, 10 Service');
    expect(text({ ...plan, objects, unchanged: false }, true)).toContain('project/one-29');
  });
});

describe('warnings', () => {
  it('that several hosts share are said once', async () => {
    const warn = (host: string) => ({
      id: 'boot',
      title: 'boot',
      host,
      outcome: 'warn' as const,
      found: 'up for 900 days',
      fix: 'Reboot.',
    });
    const plan = { ...(await planOf(['cp1', 'w1', 'reg1'])), checks: [warn('cp1'), warn('w1')] };
    expect(text(plan).match(/up for 900 days/g)).toHaveLength(1);
    expect(text(plan)).toContain('! cp1, w1: boot: up for 900 days');
  });
});
