import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { cluster, load, SPEC } from '../../../support/kubekey.ts';

it('names hosts that do not exist beside every other mistake', async () => {
  const wrong = cluster({ roleGroups: { master: ['cp1', 'kb9'] }, network: { pluggin: 'calico' }, addons: [{ name: 'nfs' }] });
  for (const text of ['there is no host “kb9”.', 'spec.network.pluggin: unknown key', 'spec.addons: is not'])
    await expect(wrong).rejects.toThrowWithCode('E_SCHEMA', text);
});

it('takes 0 for “not set”, an empty control-plane beside master, and 127.0.0.1 for no load balancer', async () => {
  const { site, notes } = await cluster({
    hosts: SPEC.hosts.map((host) => ({ ...host, port: 0 })),
    roleGroups: { 'control-plane': [], master: ['cp1'], worker: ['w1'], registry: ['reg1'] },
    controlPlaneEndpoint: { address: '127.0.0.1', port: 0 },
    kubernetes: { maxPods: 0, podPidsLimit: 0, nodeCidrMaskSize: 0, keepBackupNumber: 0 },
    etcd: { port: 0, peerPort: 0 },
    registry: { ...SPEC.registry, port: 0 },
  });
  expect(site.hosts?.[0]).not.toHaveProperty('port');
  expect(site.kubernetes).toBeUndefined();
  expect(site.roles?.['control-plane']).toEqual(['cp1']);
  expect(site.controlPlaneEndpoint).toEqual({ domain: 'lb.kubesphere.local', loadBalancer: 'none' });
  expect(site.registry?.install).toEqual({ kind: 'harbor' });
  expect(notes?.join('\n')).toContain('spec.controlPlaneEndpoint.address: means no load balancer');
});

it.each([
  ['a kubelet option that is off', { kubernetes: { kubeletConfiguration: { enableServer: false } } }],
  ['a kube-proxy option of 0', { kubernetes: { kubeProxyConfiguration: { oomScoreAdj: 0 } } }],
  ['an option of kube-ovn that is off', { network: { kubeovn: { 'kube-ovn-controller': { enableLB: false } } } }],
  ['two families of addresses for pods', { network: { kubePodsCIDR: '10.233.64.0/18,fc00::/48' } }],
  [
    'two families of addresses for a host',
    { hosts: [{ name: 'cp1', internalAddress: '10.0.0.1,fd00::1' }, ...SPEC.hosts.slice(1)] },
  ],
  ['backups where KubeKey 2 had them', { kubernetes: { etcdBackupDir: '/var/backups' } }],
])('does not pass over %s', async (_, spec) => {
  await expect(cluster(spec)).rejects.toThrowWithCode('E_NOT_YET', 'is not supported: ');
});

it('notes an option of calico that is off, and a KubeSphere that is', async () => {
  const { notes } = await cluster({
    network: { calico: { defaultIPPOOL: false } },
    kubesphere: { enabled: false, version: 'v3.4.1' },
  });
  expect(notes?.join('\n')).toMatch(/spec\.network\.calico: not used[^]*spec\.kubesphere\.version: not used/);
});

it('refuses the document that kk writes for KubeSphere’s installer behind the Cluster', async () => {
  const second = '---\n# below\n\napiVersion: installer.kubesphere.io/v1alpha1\nkind: ClusterConfiguration\n';
  const both = (await readFile('manifests/kubekey-cluster.yaml', 'utf8')) + second;
  await expect(load(both)).rejects.toThrowWithCode('E_NOT_YET', 'deliver installs no KubeSphere');
});
