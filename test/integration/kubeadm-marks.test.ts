import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMarks, markChanges } from '../../src/site/kubeadm/labels.ts';
import { clusterNodes, type ClusterNode } from '../../src/site/kubeadm/nodes.ts';
import type { KubernetesNode } from '../../src/site/kubeadm/settings.ts';
import type { HostConnection } from '../../src/ssh/port.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';
import { controlPlaneHost } from '../support/kubectl-host.ts';

describeOnKube('labels and taints on a real API server', {}, (started) => {
  let kube: KubeApiServer;
  let hosts: Awaited<ReturnType<typeof controlPlaneHost>>;
  let control: HostConnection;

  beforeAll(async () => {
    ({ kube } = started());
    hosts = await controlPlaneHost(kube);
    control = await hosts.connect('cp1');
    await kube.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'w1' } }));
    await kube.patchStatus('/api/v1/nodes/w1', { conditions: [{ type: 'Ready', status: 'True' }] });
  }, 90_000);

  afterAll(async () => {
    await hosts.stop();
  }, 30_000);

  const bringInStep = async (wanted: Pick<KubernetesNode, 'labels' | 'taints'>): Promise<number> => {
    const node = { name: 'w1', address: '10.0.0.2', controlPlane: false, ...wanted };
    return applyMarks(control, 'w1', markChanges(node, await found()));
  };
  const found = async (): Promise<ClusterNode> => {
    const [node] = await clusterNodes(control);
    if (node === undefined) throw new Error('no node');
    return node;
  };
  const taints = async (): Promise<string[]> =>
    (await found()).taints
      .filter(({ key }) => !key.startsWith('node.kubernetes.io/'))
      .map(({ key, value = '', effect }) => `${key}=${value}:${effect}`)
      .sort();

  test('follow the site file: put on, changed in value and in effect, and gone again; those of others stay', async () => {
    await kube.kubectl(['taint', 'node', 'w1', 'theirs=yes:NoSchedule']);
    await kube.kubectl(['label', 'node', 'w1', 'theirs=yes']);
    const gpu = { key: 'gpu', value: 'a', effect: 'NoSchedule' } as const;
    expect(await bringInStep({ labels: { zone: 'a' }, taints: [gpu] })).toBe(2);
    expect(await bringInStep({ labels: { zone: 'a' }, taints: [gpu] })).toBe(0);
    expect(await taints()).toEqual(['gpu=a:NoSchedule', 'theirs=yes:NoSchedule']);
    await bringInStep({ labels: { zone: 'b' }, taints: [{ ...gpu, value: 'b' }] });
    expect(await taints()).toEqual(['gpu=b:NoSchedule', 'theirs=yes:NoSchedule']);
    await bringInStep({ labels: { zone: 'b' }, taints: [{ ...gpu, effect: 'NoExecute' }] });
    expect(await taints()).toEqual(['gpu=a:NoExecute', 'theirs=yes:NoSchedule']);
    expect((await found()).labels).toMatchObject({ zone: 'b', theirs: 'yes' });
    await bringInStep({ labels: {}, taints: [] });
    expect(await taints()).toEqual(['theirs=yes:NoSchedule']);
    expect((await found()).labels).toEqual({ theirs: 'yes' });
    expect(Object.keys((await found()).annotations).filter((key) => key.startsWith('deliver/'))).toEqual([]);
  });

  test('that somebody had put on before the site file named them stay when it drops them', async () => {
    await kube.kubectl(['taint', 'node', 'w1', 'shared=yes:NoSchedule']);
    expect(
      await bringInStep({ labels: { theirs: 'yes' }, taints: [{ key: 'shared', value: 'yes', effect: 'NoSchedule' }] }),
    ).toBe(0);
    await bringInStep({ labels: {}, taints: [] });
    expect(await taints()).toEqual(['shared=yes:NoSchedule', 'theirs=yes:NoSchedule']);
    expect((await found()).labels).toEqual({ theirs: 'yes' });
  });

  test('that somebody put back by hand are put right by the next run', async () => {
    await bringInStep({ labels: { zone: 'a' }, taints: [] });
    await kube.kubectl(['label', '--overwrite', 'node', 'w1', 'zone=elsewhere']);
    expect(await bringInStep({ labels: { zone: 'a' }, taints: [] })).toBe(1);
    expect((await found()).labels['zone']).toBe('a');
  });
});
