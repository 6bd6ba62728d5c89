import { beforeAll, expect, test } from 'vitest';
import { renderRelease } from '../../src/apps/release-objects.ts';
import type { ReleaseGroup } from '../../src/apps/release-objects.ts';
import { applyObjects, planObjects, type ObjectPlan } from '../../src/cluster/apply.ts';
import { fieldAt, listAt, textAt } from '../../src/cluster/fields.ts';
import { waitForSiteNodes } from '../../src/cluster/nodes-ready.ts';
import type { ClusterApi, KubeObject } from '../../src/cluster/port.ts';
import { SILENT } from '../../src/core/report.ts';
import { applyAddons } from '../../src/flows/install/addons-step.ts';
import { manifestParts } from '../../src/flows/install/manifest-parts.ts';
import { definitionsOf } from '../../src/flows/install/release-groups.ts';
import { SiteSchema } from '../../src/manifest/site-schema.ts';
import { aRelease, aReleaseContext } from '../support/apps.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';
import { playKubelet, ready, stuck } from '../support/kubelet.ts';
import { addon, manifestSession } from '../support/manifest-session.ts';

const SIGNAL = new AbortController().signal;
const SITE = SiteSchema.parse({
  apiVersion: 'deliver/v1',
  kind: 'Site',
  metadata: { name: 'plant-7' },
  hosts: [{ name: 'cp1', address: '10.77.0.11' }],
  network: { plugin: 'flannel', pods: '10.244.0.0/16' },
  ingress: { addresses: ['10.77.0.11'] },
});
const ACCOUNT = { account: { username: 'robot', password: 'x' }, hosts: ['docker.io'] };

describeOnKube('add-ons on a real API server', { controllers: true }, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;

  beforeAll(() => {
    ({ kube, api } = started());
  });

  const groupsOf = async (files: Readonly<Record<string, string>>, more: object = {}): Promise<ReleaseGroup[]> => {
    const manifests = Object.keys(files).map((path) => ({ path }));
    const release = aRelease({ apps: [], externals: [], manifests, ...more });
    const parts = await manifestParts(manifestSession(release, files), SITE, [], api, SIGNAL);
    return renderRelease(release, aReleaseContext({ manifests: parts, pull: ACCOUNT }));
  };

  const planned = async (groups: readonly ReleaseGroup[]): Promise<ObjectPlan[]> => {
    const plans: ObjectPlan[] = [];
    for (const group of groups)
      plans.push(
        ...(await planObjects(api, group.render(new Map()), {
          definitions: definitionsOf(groups),
          adopt: group.adopt === true,
        })),
      );
    return plans;
  };

  const apply = (groups: readonly ReleaseGroup[]): ReturnType<typeof applyAddons> =>
    applyAddons(groups, api, { definitions: definitionsOf(groups), report: SILENT, signal: SIGNAL });

  test('every sample add-on is what the API server takes as it is, planned as done, and a second time nothing', async () => {
    const names = ['local-path', 'traefik', 'metrics-server'];
    const files = Object.fromEntries(await Promise.all(names.map(async (name) => [`${name}.yaml`, await addon(name)] as const)));
    const groups = await groupsOf(files);
    const before = (await kube.writes()).length;
    const plan = await planned(groups);
    expect(plan.every(({ action }) => action === 'create')).toBe(true);
    expect((await kube.writes()).length).toBe(before);
    const kubelet = [playKubelet(kube, api, 'local-path-storage', ready), playKubelet(kube, api, 'kube-system', ready)];
    const first = await apply(groups).finally(() => Promise.all(kubelet.map((one) => one.stop())));
    expect(first).toMatchObject({ changed: plan.length });
    expect((await apply(groups)).summary).toBe('no change; local-path.yaml, traefik.yaml, metrics-server.yaml ready');
    expect((await planned(groups)).every(({ action }) => action === 'same')).toBe(true);
  });

  test('pods of add-ons pull with the release’s account, also those that a controller makes of its own', async () => {
    const account = await api.get({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      name: 'local-path-provisioner',
      namespace: 'local-path-storage',
    });
    expect(listAt(account, 'imagePullSecrets')).toEqual([{ name: 'deliver-pull-suite' }]);
    const traefik = await api.get({ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'traefik', namespace: 'traefik' });
    expect(listAt(traefik, 'spec', 'template', 'spec', 'imagePullSecrets')).toEqual([{ name: 'deliver-pull-suite' }]);
    expect(await api.get({ apiVersion: 'v1', kind: 'Secret', name: 'deliver-pull-suite', namespace: 'traefik' })).toBeDefined();
  });

  test('the ConfigMap that kubeadm made is taken over, once, and said so; afterwards a foreign change is a conflict', async () => {
    await kube.kubectl(
      ['apply', '--server-side', '--field-manager=kubeadm', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'coredns', namespace: 'kube-system' },
        data: { Corefile: '.:53 { forward . /etc/resolv.conf }' },
      }),
    );
    const groups = await groupsOf({ 'coredns-nip-io.yaml': await addon('coredns-nip-io') });
    const change = (await planned(groups)).find(({ ref }) => ref.kind === 'ConfigMap');
    expect(change).toMatchObject({ action: 'change', takenFrom: ['kubeadm'] });
    await apply(groups);
    const corefile = textAt(
      await api.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'coredns', namespace: 'kube-system' }),
      'data',
      'Corefile',
    );
    expect(corefile).toContain('template IN A nip.io');
    expect(corefile).toContain('10.77.0.11 cp1');
    expect(corefile).not.toContain('forward');
    await kube.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager=somebody', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'coredns', namespace: 'kube-system' },
        data: { Corefile: '.:53 { whoami }' },
      }),
    );
    await expect(planned(groups)).rejects.toThrowWithCode('E_CONFLICT', 'somebody');
  });

  const crd = (scope: string): object => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.plant.example' },
    spec: {
      group: 'plant.example',
      scope,
      names: { kind: 'Widget', plural: 'widgets' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });

  test('a custom resource may stand before its definition, and in another entry than that', async () => {
    const widget = { apiVersion: 'plant.example/v1', kind: 'Widget', metadata: { name: 'one' }, size: 3 };
    const groups = await groupsOf({
      'widgets.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [widget, crd('Namespaced')] }),
      'more.yaml': JSON.stringify({ ...widget, metadata: { name: 'two', namespace: 'plant' } }),
    });
    expect((await planned(groups)).map(({ ref, action }) => `${action} ${ref.kind} ${ref.namespace ?? ''}`)).toContain(
      'create Widget default',
    );
    await apply(groups);
    expect(
      fieldAt(await api.get({ apiVersion: 'plant.example/v1', kind: 'Widget', name: 'two', namespace: 'plant' }), 'metadata'),
    ).toBeDefined();
    expect((await planned(groups)).every(({ action }) => action === 'same')).toBe(true);
  });

  test('on a cluster whose node has no network yet the network comes first, wherever it stands', async () => {
    const node = await applyNode(kube, api, 'cp1');
    const kubelet = playKubelet(kube, api, 'kube-flannel', ready);
    const late = playKubelet(kube, api, 'late', ready);
    const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'late' }, spec: podSpec() };
    const groups = await groupsOf({ 'web.yaml': JSON.stringify(web), 'flannel.yaml': await addon('flannel') });
    expect(groups.map(({ title }) => title)).toEqual(['namespaces and pull secrets of add-ons', 'flannel.yaml', 'web.yaml']);
    const made = whenThere(api, 'DaemonSet', 'kube-flannel-ds', 'kube-flannel').then(() => node.becomesReady());
    const done = await apply(groups).finally(() => Promise.all([kubelet.stop(), late.stop()]));
    await made;
    expect(done.summary).toContain('flannel.yaml, web.yaml ready');
    const config = await api.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-flannel-cfg', namespace: 'kube-flannel' });
    expect(textAt(config, 'data', 'net-conf.json')).toContain('"Network": "10.244.0.0/16"');
  });

  // The last two wait for the most part: they do it together.
  test.concurrent(
    'ends only when every node of the site is ready, and names those that are not with what their kubelets say',
    async () => {
      const w1 = await applyNode(kube, api, 'w1');
      await applyNode(kube, api, 'stranger');
      const work = { report: SILENT, signal: SIGNAL, hasNetwork: true, timeout: 1_500 };
      const waited = waitForSiteNodes(api, ['cp1', 'w1', 'w2'], work);
      await expect(waited).rejects.toThrowWithCode('E_NOT_READY', 'w1, w2 are not ready (2 of 3 nodes).');
      await expect(waited).rejects.toMatchObject({
        facts: { details: ['w1: it has no pod network yet', 'w2: the cluster has no such node'] },
      });
      await expect(waitForSiteNodes(api, ['w1'], { ...work, hasNetwork: false })).rejects.toMatchObject({
        facts: { fix: expect.stringContaining('The release brings no pod network') as string },
      });
      const addons = applyAddons([], api, { report: SILENT, signal: SIGNAL, nodes: ['cp1', 'w1'] });
      await w1.becomesReady();
      expect(await addons).toEqual({ summary: 'none in this release' });
    },
  );

  test.concurrent('an add-on whose image can’t be pulled is named, with the registry’s own words', async () => {
    const web = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'broken', namespace: 'broken' },
      spec: podSpec(),
    };
    const kubelet = playKubelet(kube, api, 'broken', (pod) => stuck(pod, 'ErrImagePull', 'pull access denied'));
    const groups = await groupsOf({ 'broken.yaml': JSON.stringify(web) });
    await expect(apply(groups).finally(() => kubelet.stop())).rejects.toThrowWithCode('E_IMAGE_PULL', 'pull access denied');
  });
});

function podSpec(): object {
  const labels = { app: 'web' };
  return {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'docker.io/library/web:1' }] } },
  };
}

async function applyNode(kube: KubeApiServer, api: ClusterApi, name: string): Promise<{ becomesReady(): Promise<void> }> {
  const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } };
  await applyObjects(api, [node]);
  const say = (status: string, message: string): Promise<void> =>
    kube.patchStatus(`/api/v1/nodes/${name}`, { conditions: [{ type: 'Ready', status, reason: 'KubeletReady', message }] });
  await say('False', 'container runtime network not ready: cni plugin not initialized');
  return { becomesReady: () => say('True', '') };
}

async function whenThere(api: ClusterApi, kind: string, name: string, namespace: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await api.get({ apiVersion: 'apps/v1', kind, name, namespace })) !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${kind} ${name} did not come`);
}
