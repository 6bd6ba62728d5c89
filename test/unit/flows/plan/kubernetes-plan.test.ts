import { describe, expect, it } from 'vitest';
import { kubernetesLines } from '../../../../src/cli/views/plan-kubernetes.ts';
import { SILENT } from '../../../../src/core/report.ts';
import { planKubernetes, type KubernetesPlan } from '../../../../src/flows/plan/kubernetes-plan.ts';
import { SiteSchema } from '../../../../src/manifest/site-schema.ts';
import { clusterNode, scriptedHosts, type ScriptedHost } from '../../../support/scripted-hosts.ts';

const DONE = 'marker={"op":"init","state":"done","kubernetes":"v1.33.13"}';
const JOINED = ['marker={"op":"join","state":"done","kubernetes":"v1.33.13"}', 'file=kubelet.conf'];
const CONTROL = ['file=admin.conf', 'file=kubelet.conf', 'file=manifests/kube-apiserver.yaml'];

async function plan(
  hosts: Readonly<Record<string, ScriptedHost>>,
  site: { readonly control: readonly string[]; readonly worker: readonly string[]; readonly more?: object },
  version = 'v1.34.4',
): Promise<KubernetesPlan> {
  const names = [...site.control, ...site.worker];
  return planKubernetes(
    {
      site: SiteSchema.parse({
        apiVersion: 'deliver/v1',
        kind: 'Site',
        metadata: { name: 'plant-7' },
        hosts: names.map((name, index) => ({ name, address: `10.89.3.${String(11 + index)}` })),
        roles: { 'control-plane': site.control, worker: site.worker },
        ...site.more,
      }),
      version,
      hosts: scriptedHosts(hosts),
      programs: { place: () => Promise.reject(new Error('a plan places nothing')) },
      images: {},
    },
    SILENT,
    new AbortController().signal,
  );
}
const lines = (of: KubernetesPlan): string => kubernetesLines(of, 61).join('\n');
const serving = (version: string, nodes: readonly object[]): ScriptedHost => ({
  kubernetes: [DONE, ...CONTROL, `manifest=${version}`, 'ready=ok'],
  cluster: { version, nodes },
});

describe('a plan for Kubernetes', () => {
  it('on bare hosts says which one becomes the first control plane, and who joins it how', async () => {
    expect(lines(await plan({}, { control: ['cp1', 'cp2', 'cp3'], worker: ['w1', 'w2'] }))).toMatchInlineSnapshot(`
      "v1.34.4, made by kubeadm
      cp1: becomes the first control plane
      cp2, cp3: join as control planes, one after the other
      w1, w2: join as workers, side by side"
    `);
  });

  it('goes on with what an earlier run began', async () => {
    const begun = { kubernetes: ['marker={"op":"init","state":"begun","kubernetes":"v1.34.4"}', 'file=admin.conf'] };
    const [first] = (await plan({ cp1: begun }, { control: ['cp1'], worker: ['w1'] })).nodes;
    expect(first).toMatchObject({ host: 'cp1', action: 'make', again: true, done: false });
  });

  it('of an upgrade says from what to what, the control plane that serves first, new hosts last, and what stays', async () => {
    const nodes = [
      clusterNode('cp1', 'v1.33.13', true),
      clusterNode('cp2', 'v1.33.13', true),
      clusterNode('w1', 'v1.33.13'),
      clusterNode('w2', 'v1.34.4'),
      clusterNode('old', 'v1.33.13'),
      clusterNode('guest', 'v1.33.13'),
    ];
    const found = await plan(
      {
        cp1: { kubernetes: [...JOINED, ...CONTROL] },
        cp2: serving('v1.33.13', nodes),
        w1: { kubernetes: JOINED },
        w2: { kubernetes: JOINED },
      },
      { control: ['cp1', 'cp2'], worker: ['w1', 'w2', 'w3'], more: { drain: ['old'] } },
    );
    expect(lines(found)).toMatchInlineSnapshot(`
      "v1.33.13 → v1.34.4, each host drained, upgraded, and
        healthy before the next
      cp2, cp1: control planes v1.33.13 → v1.34.4, one at a time
      w1: worker v1.33.13 → v1.34.4
      w2: stays worker
      w3: joins as worker
      old: is drained and removed from the cluster
      guest: not in the site file; stays in the cluster"
    `);
    expect(found.nodes.filter(({ done }) => done).map(({ host }) => host)).toEqual(['w2', 'guest']);
  });

  it('of a cluster that is as wanted has nothing to do, and of other labels only these', async () => {
    const nodes = [clusterNode('cp1', 'v1.34.4', true), clusterNode('w1', 'v1.34.4')];
    const hosts = { cp1: serving('v1.34.4', nodes), w1: { kubernetes: JOINED } };
    const same = await plan(hosts, { control: ['cp1'], worker: ['w1'] });
    expect(same.nodes.every(({ done }) => done)).toBe(true);
    expect(lines(same)).toBe('v1.34.4\ncp1: stays control plane\nw1: stays worker');
    const labelled = {
      hosts: [
        { name: 'cp1', address: '10.89.3.11' },
        { name: 'w1', address: '10.89.3.12', labels: { zone: 'a' } },
      ],
    };
    const marked = await plan(hosts, { control: ['cp1'], worker: ['w1'], more: labelled });
    expect(marked.nodes).toMatchObject([
      { host: 'cp1', done: true },
      { host: 'w1', action: 'mark', why: 'zone=a', done: false },
    ]);
  });

  it('does not take a cluster whose API is down for none', async () => {
    const found = await plan(
      { cp1: { kubernetes: [DONE, ...CONTROL, 'ready='] }, w1: { kubernetes: JOINED } },
      { control: ['cp1'], worker: ['w1'] },
    );
    expect(found.nodes.map(({ action }) => action)).toEqual(['await', 'await']);
    expect(lines(found)).toContain('its API does not answer now');
  });

  it('names a host with traces of another cluster', async () => {
    const nodes = [clusterNode('cp1', 'v1.34.4', true)];
    const found = await plan(
      { cp1: serving('v1.34.4', nodes), w1: { kubernetes: ['file=kubelet.conf'] } },
      { control: ['cp1'], worker: ['w1'] },
    );
    expect(lines(found)).toContain('w1: has traces of another cluster, where the install stops');
  });

  describe('with an etcd of three hosts', () => {
    const address = { e1: '10.89.3.21', e2: '10.89.3.22', e3: '10.89.3.23' };
    const control = serving('v1.34.4', [clusterNode('cp1', 'v1.34.4', true)]);
    const site = (roles: readonly string[], drain: readonly string[]) => ({
      control: ['cp1'],
      worker: [],
      more: {
        hosts: [{ name: 'cp1', address: '10.89.3.11' }, ...Object.entries(address).map(([name, at]) => ({ name, address: at }))],
        roles: { 'control-plane': ['cp1'], etcd: roles },
        drain,
      },
    });
    const member = (...answering: string[]): ScriptedHost => ({ etcd: { members: address, answering } });

    it('says which host joins it again, because it was set up anew, and which one leaves it', async () => {
      const found = await plan(
        { cp1: control, e1: member('e1', 'e2'), e2: member('e1', 'e2') },
        site(['e1', 'e2', 'e3'], ['e2']),
      ).catch((error: unknown) => error);
      // Without e2 only one of two would answer.
      expect(found).toMatchObject({ code: 'E_PREFLIGHT', facts: { what: 'etcd can’t do without e2.' } });
      const back = await plan({ cp1: control, e1: member('e1', 'e2'), e2: member('e1', 'e2') }, site(['e1', 'e2', 'e3'], []));
      expect(lines(back)).toContain('e3: joins etcd');
      expect(back.nodes).toContainEqual({ host: 'e3', role: 'etcd', action: 'join', done: false });
      const all = member('e1', 'e2', 'e3');
      const less = await plan({ cp1: control, e1: all, e2: all, e3: all }, site(['e1', 'e2', 'e3'], ['e3']));
      expect(lines(less)).toContain('e3: leaves etcd');
      expect(less.nodes.filter(({ role }) => role === 'etcd')).toHaveLength(1);
    });

    it('says nothing of members that are there', async () => {
      const all = member('e1', 'e2', 'e3');
      const found = await plan({ cp1: control, e1: all, e2: all, e3: all }, site(['e1', 'e2', 'e3'], []));
      expect(found.nodes.every(({ done }) => done)).toBe(true);
    });
  });
});
