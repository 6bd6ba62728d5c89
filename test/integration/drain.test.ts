import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DeliverError } from '../../src/core/errors.ts';
import { SILENT, type Report } from '../../src/core/report.ts';
import { SiteSchema } from '../../src/manifest/site-schema.ts';
import { CORDONED, drainNode, refuseLonePods } from '../../src/site/kubeadm/drain.ts';
import { clusterNodes, type ClusterNode } from '../../src/site/kubeadm/nodes.ts';
import { removeNodes } from '../../src/site/kubeadm/remove.ts';
import { kubernetesSettings } from '../../src/site/kubeadm/settings.ts';
import type { KubernetesWorld } from '../../src/site/kubeadm/world.ts';
import type { HostConnection, HostConnector } from '../../src/ssh/port.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';
import { controlPlaneHost } from '../support/kubectl-host.ts';

const SIGNAL = new AbortController().signal;
const OPTIONS = { seconds: 60, report: SILENT, signal: SIGNAL };

interface Pod {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

describeOnKube('draining on a real API server', {}, (started) => {
  let kube: KubeApiServer;
  let control: HostConnection;
  let hosts: HostConnector & { stop(): Promise<void> };
  let kubelet: { stop(): Promise<void> };

  beforeAll(async () => {
    ({ kube } = started());
    hosts = await controlPlaneHost(kube);
    control = await hosts.connect('cp1');
    await make({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, spec: template('agent') });
    kubelet = endPods(kube);
  }, 90_000);

  afterEach(async () => {
    await kube.kubectl(['delete', 'poddisruptionbudgets', '--all']);
    await kube.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0']);
    await kube.kubectl(['delete', 'nodes', '--all']);
  });

  afterAll(async () => {
    await kubelet.stop();
    await hosts.stop();
  }, 30_000);

  const make = async (...objects: readonly object[]): Promise<void> => {
    for (const object of objects) await kube.kubectl(['apply', '-f', '-'], JSON.stringify(object));
  };
  /** Pods that run: a budget says nothing of others. */
  const run = async (...pods: readonly Pod[]): Promise<void> => {
    await make(...pods);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    for (const { metadata } of pods) await kube.patchStatus(`/api/v1/namespaces/default/pods/${metadata.name}`, status);
  };
  const node = async (name: string, labels: Readonly<Record<string, string>> = {}): Promise<ClusterNode> => {
    await make({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
    await kube.patchStatus(`/api/v1/nodes/${name}`, { conditions: [{ type: 'Ready', status: 'True' }] });
    return found(name);
  };
  const found = async (name: string): Promise<ClusterNode> => {
    const one = (await clusterNodes(control)).find((each) => each.name === name);
    if (one === undefined) throw new Error(`no node ${name}`);
    return one;
  };
  const pods = async (): Promise<string[]> =>
    (await kube.kubectl(['get', 'pods', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ').filter((name) => name !== '');
  const budget = async (name: string, allowed: number): Promise<void> => {
    await make({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] } },
    });
    await allow(name, allowed);
  };
  const allow = (name: string, disruptionsAllowed: number): Promise<void> =>
    kube.patchStatus(`/apis/policy/v1/namespaces/default/poddisruptionbudgets/${name}`, {
      observedGeneration: 1,
      expectedPods: 1,
      desiredHealthy: 1,
      currentHealthy: 1,
      disruptionsAllowed,
    });

  test('moves what a controller makes again, local scratch data or not, and leaves what belongs to the node', async () => {
    const w1 = await node('w1');
    const volumes = [{ name: 'scratch', emptyDir: {} }];
    await run(
      pod('web', 'w1', { owner: 'ReplicaSet', spec: { volumes } }),
      pod('agent', 'w1', { owner: 'DaemonSet' }),
      pod('elsewhere', 'w2', { owner: 'ReplicaSet' }),
    );
    await drainNode(control, w1, OPTIONS);
    expect(await pods()).toEqual(['agent', 'elsewhere']);
    expect(await found('w1')).toMatchObject({ cordoned: true, annotations: { [CORDONED]: 'upgrade' } });
  });

  test('waits for a disruption budget that lets the pod go after a while', async () => {
    const w1 = await node('w1');
    await budget('web', 0);
    await run(pod('web', 'w1', { owner: 'ReplicaSet' }));
    const seen: string[] = [];
    const report: Report = {
      ...SILENT,
      progress: ({ detail }) => {
        seen.push(detail ?? '');
        void allow('web', 1);
      },
    };
    await drainNode(control, w1, { ...OPTIONS, report });
    expect(seen[0]).toContain('PodDisruptionBudget default/web holds default/web');
    expect(await pods()).toEqual([]);
  });

  test('a budget that never does is named with its pod and its numbers, and the node serves again', async () => {
    const w1 = await node('w1');
    await budget('web', 0);
    await run(pod('web', 'w1', { owner: 'ReplicaSet' }), pod('other', 'w1', { owner: 'ReplicaSet' }));
    const drained = drainNode(control, w1, { ...OPTIONS, seconds: 3 });
    await expect(drained).rejects.toThrowWithCode('E_NOT_READY', 'The pods of w1 did not leave within 3 s.');
    const { facts } = await drained.then(
      () => ({ facts: undefined }),
      (error: unknown) => error as DeliverError,
    );
    expect(facts?.details).toEqual(['PodDisruptionBudget default/web holds default/web: it wants 1 healthy, and 1 is.']);
    expect(facts?.state).toBe('w1 serves again, as it did before; what was done before stays.');
    expect(await pods()).toEqual(['web']);
    const after = await found('w1');
    expect(after.cordoned).toBe(false);
    expect(Object.keys(after.annotations)).not.toContain(CORDONED);
  });

  test('a node that somebody else cordoned stays so, also when the drain fails', async () => {
    await node('w1');
    await kube.kubectl(['cordon', 'w1']);
    await budget('web', 0);
    await run(pod('web', 'w1', { owner: 'ReplicaSet' }));
    const drained = drainNode(control, await found('w1'), { ...OPTIONS, seconds: 1 });
    await expect(drained).rejects.toMatchObject({
      facts: { state: expect.stringContaining('is cordoned, as it was') as string },
    });
    expect((await found('w1')).cordoned).toBe(true);
  });

  test('a node that an earlier run of deliver cordoned serves again when the drain fails, and that is said', async () => {
    await node('w1');
    await kube.kubectl(['annotate', 'node', 'w1', `${CORDONED}=upgrade`]);
    await kube.kubectl(['cordon', 'w1']);
    await budget('web', 0);
    await run(pod('web', 'w1', { owner: 'ReplicaSet' }));
    const drained = drainNode(control, await found('w1'), { ...OPTIONS, seconds: 1 });
    await expect(drained).rejects.toMatchObject({ facts: { state: expect.stringContaining('serves again') as string } });
    expect((await found('w1')).cordoned).toBe(false);
  });

  test('a pod with two budgets, which Kubernetes never evicts, is said at once', async () => {
    const w1 = await node('w1');
    await budget('web', 1);
    await budget('web-too', 1);
    await run(pod('web', 'w1', { owner: 'ReplicaSet' }));
    const drained = drainNode(control, w1, { ...OPTIONS, seconds: 3600 });
    await expect(drained).rejects.toMatchObject({
      facts: {
        why: expect.stringContaining('default/web has 2 PodDisruptionBudgets (default/web, default/web-too)') as string,
      },
    });
    expect((await found('w1')).cordoned).toBe(false);
  });

  test('a pod that nothing would make again is refused before the node is touched', async () => {
    const w1 = await node('w1');
    await run(pod('lone', 'w1', {}), pod('web', 'w1', { owner: 'ReplicaSet' }));
    await expect(drainNode(control, w1, OPTIONS)).rejects.toThrowWithCode('E_PREFLIGHT', '1 pod there would be lost');
    await expect(refuseLonePods(control, ['w1', 'w2'], SIGNAL)).rejects.toThrowWithCode('E_PREFLIGHT', 'default/lone');
    await refuseLonePods(control, ['w2'], SIGNAL);
    await kube.patchStatus('/api/v1/namespaces/default/pods/lone', { phase: 'Succeeded' });
    await refuseLonePods(control, ['w1'], SIGNAL);
    expect(await found('w1')).toMatchObject({ cordoned: false, annotations: {} });
    expect(await pods()).toEqual(['lone', 'web']);
  });

  test('a node that is no longer in the site file goes only when told, drained, with its data named', async () => {
    const notes: string[] = [];
    const unreachable: HostConnector = {
      connect: () => Promise.reject(new DeliverError('E_SSH', { what: 'w2 does not answer.' })),
      close: () => Promise.resolve(),
    };
    const world = (drain: string[]): KubernetesWorld => ({
      settings: kubernetesSettings(
        SiteSchema.parse({
          apiVersion: 'deliver/v1',
          kind: 'Site',
          metadata: { name: 'plant' },
          hosts: ['cp1', 'w1', 'w2'].map((name, index) => ({ name, address: `10.0.0.${String(index + 1)}` })),
          roles: { 'control-plane': ['cp1'], worker: ['w1'] },
          drain,
        }),
        'v1.34.4',
      ),
      hosts: unreachable,
      programs: { place: () => Promise.resolve(false) },
      images: {},
      report: { ...SILENT, note: (line) => notes.push(line) },
      signal: SIGNAL,
    });
    const cp1 = { name: 'cp1', address: '10.0.0.1', controlPlane: true, labels: {}, taints: [] };
    await node('cp1');
    await node('w1');
    await node('w2');
    await run(pod('web', 'w2', { owner: 'ReplicaSet' }));
    await make(volumeOn('w2', 'data'));
    expect(await removeNodes(world([]), { node: cp1, connection: control })).toEqual({ removed: [], strangers: ['w2'] });
    expect(await pods()).toEqual(['web']);
    expect(await removeNodes(world(['w2']), { node: cp1, connection: control })).toEqual({ removed: ['w2'], strangers: [] });
    expect(await pods()).toEqual([]);
    expect((await clusterNodes(control)).map(({ name }) => name)).toEqual(['cp1', 'w1']);
    expect(notes.join('\n')).toContain('The data of default/data is on w2 alone');
    expect(notes.join('\n')).toContain('kubeadm reset there');
  });
});

function template(app: string): object {
  const labels = { app };
  return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [CONTAINER] } } };
}

const CONTAINER = { name: 'main', image: 'docker.io/library/web:1' };

function pod(name: string, nodeName: string, { owner, spec = {} }: { owner?: string; spec?: object }): Pod {
  const owners =
    owner === undefined
      ? []
      : [{ apiVersion: 'apps/v1', kind: owner, name: 'agent', uid: 'e9a1e1ab-0000-4000-8000-000000000000', controller: true }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name }, ownerReferences: owners },
    spec: { nodeName, containers: [CONTAINER], terminationGracePeriodSeconds: 1, ...spec },
  };
}

function volumeOn(nodeName: string, claim: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pv-${nodeName}` },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      claimRef: { namespace: 'default', name: claim },
      local: { path: '/data' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] }],
        },
      },
    },
  };
}

/** Plays the kubelets: a pod that is told to end is gone a moment later. */
function endPods(kube: KubeApiServer): { stop(): Promise<void> } {
  let running = true;
  const ended = 'go-template={{range .items}}{{if .metadata.deletionTimestamp}}{{.metadata.name}} {{end}}{{end}}';
  const loop = async (): Promise<void> => {
    while (running) {
      const names = (await kube.kubectl(['get', 'pods', '-o', ended])).split(' ').filter((name) => name !== '');
      if (names.length > 0) await kube.kubectl(['delete', 'pods', '--force', '--grace-period=0', '--ignore-not-found', ...names]);
      await sleep(200);
    }
  };
  const done = loop();
  return {
    async stop() {
      running = false;
      await done;
    },
  };
}
