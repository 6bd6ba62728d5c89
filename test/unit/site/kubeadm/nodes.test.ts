import { describe, expect, it } from 'vitest';
import { SiteSchema, type Site } from '../../../../src/manifest/site-schema.ts';
import { parseMembers } from '../../../../src/site/kubeadm/etcd-members.ts';
import { markChanges } from '../../../../src/site/kubeadm/labels.ts';
import type { ClusterNode } from '../../../../src/site/kubeadm/nodes.ts';
import { buildsKubernetes, kubernetesSettings, type KubernetesNode } from '../../../../src/site/kubeadm/settings.ts';
import { endpointAddress, endpointOf, hasOwnProxy } from '../../../../src/site/balancer/endpoint.ts';
import { haproxyConfig, haproxyPod } from '../../../../src/site/balancer/haproxy.ts';

const FOUND: ClusterNode = {
  name: 'w1',
  version: 'v1.34.4',
  ready: true,
  message: '',
  controlPlane: false,
  cordoned: false,
  address: '10.0.0.2',
  labels: {},
  annotations: {},
  taints: [],
};
const WANTED: KubernetesNode = { name: 'w1', address: '10.0.0.2', controlPlane: false, labels: {}, taints: [] };

export function siteOf(more: Partial<Site> = {}): Site {
  return SiteSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 'plant' },
    hosts: ['cp1', 'cp2', 'cp3', 'w1', 'etcd1'].map((name, index) => ({ name, address: `10.0.0.${String(index + 1)}` })),
    roles: { 'control-plane': ['cp1', 'cp2', 'cp3'], worker: ['w1'] },
    ...more,
  });
}

describe('labels and taints', () => {
  it('come from the site file, and what is there already is left alone', () => {
    const gpu = { key: 'gpu', value: 'yes', effect: 'NoSchedule' } as const;
    const wanted = { ...WANTED, labels: { zone: 'a' }, taints: [gpu] };
    const changes = markChanges(wanted, FOUND);
    expect(changes).toEqual({
      labels: ['zone=a'],
      taints: ['gpu=yes:NoSchedule'],
      annotations: ['deliver/labels=zone', 'deliver/taints=gpu:NoSchedule'],
    });
    const annotations = { 'deliver/labels': 'zone', 'deliver/taints': 'gpu:NoSchedule' };
    const again = markChanges(wanted, { ...FOUND, labels: { zone: 'a' }, taints: [gpu], annotations });
    expect(again).toEqual({ labels: [], taints: [], annotations: [] });
  });
  it('go away when the site file drops them, those of others stay', () => {
    const found = {
      ...FOUND,
      labels: { zone: 'a', theirs: 'x' },
      taints: [
        { key: 'gpu', effect: 'NoSchedule' },
        { key: 'theirs', effect: 'NoExecute' },
      ],
      annotations: { 'deliver/labels': 'zone', 'deliver/taints': 'gpu:NoSchedule' },
    };
    expect(markChanges(WANTED, found)).toEqual({
      labels: ['zone-'],
      taints: ['gpu:NoSchedule-'],
      annotations: ['deliver/labels-', 'deliver/taints-'],
    });
  });
});

describe('the settings of a cluster', () => {
  it('are deliver’s to keep only where the site names control planes and no cluster', () => {
    expect(buildsKubernetes(siteOf())).toBe(true);
    expect(buildsKubernetes(siteOf({ cluster: { from: 'cp1' } }))).toBe(false);
    expect(buildsKubernetes(siteOf({ roles: { worker: ['w1'] } }))).toBe(false);
  });
  it('put etcd on the control planes, unless other hosts have that role', () => {
    expect(kubernetesSettings(siteOf(), 'v1.34.4').etcd).toEqual([]);
    const roles = { 'control-plane': ['cp1'], worker: ['w1'], etcd: ['cp1'] };
    expect(kubernetesSettings(siteOf({ roles }), 'v1.34.4').etcd).toEqual([]);
    const apart = kubernetesSettings(siteOf({ roles: { ...roles, etcd: ['etcd1'] } }), 'v1.34.4');
    expect(apart.etcd.map(({ name }) => name)).toEqual(['etcd1']);
  });
  it('keep pods off control planes that are no workers', () => {
    const { controlPlanes } = kubernetesSettings(
      siteOf({ roles: { 'control-plane': ['cp1', 'cp2'], worker: ['cp2'] } }),
      'v1.34.4',
    );
    expect(controlPlanes.map(({ taints }) => taints.length)).toEqual([1, 0]);
  });
  it('leave out a host that is to go, and know it as one that Kubernetes is taken off', () => {
    const settings = kubernetesSettings(siteOf({ drain: ['cp3', 'w9'] }), 'v1.34.4');
    expect(settings.controlPlanes.map(({ name }) => name)).toEqual(['cp1', 'cp2']);
    expect(settings.leaving.map(({ name }) => name)).toEqual(['cp3']);
    expect(settings.drain).toEqual(['cp3', 'w9']);
  });
  it('refuse that every control plane goes, or all of an etcd of its own: the rest would be no cluster', () => {
    expect(() => kubernetesSettings(siteOf({ drain: ['cp1', 'cp2', 'cp3'] }), 'v1.34.4')).toThrowWithCode('E_PREFLIGHT');
    const roles = { 'control-plane': ['cp1'], worker: ['w1'], etcd: ['etcd1'] };
    expect(() => kubernetesSettings(siteOf({ roles, drain: ['etcd1'] }), 'v1.34.4')).toThrowWithCode('E_PREFLIGHT');
  });
  it('refuse a node without an IP address', () => {
    const hosts = [{ name: 'cp1', address: 'cp1.example' }];
    expect(() => kubernetesSettings(siteOf({ hosts, roles: { 'control-plane': ['cp1'] } }), 'v1.34.4')).toThrowWithCode(
      'E_PREFLIGHT',
    );
  });
});

describe('the endpoint of the API', () => {
  const endpoint = endpointOf({ controlPlaneEndpoint: { domain: 'lb.site', loadBalancer: 'haproxy' } });
  if (endpoint === undefined) throw new Error('no endpoint');
  const at = { own: '10.0.0.4', control: '10.0.0.1', serves: false, proxy: false };
  it('is the node’s own haproxy once that answers, and a control plane that answers until then', () => {
    expect(endpointAddress(endpoint, at)).toBe('10.0.0.1');
    expect(endpointAddress(endpoint, { ...at, proxy: true })).toBe('127.0.0.1');
  });
  it('is a control plane’s own API server, where the port leaves no room for a haproxy', () => {
    expect(hasOwnProxy(endpoint, true)).toBe(false);
    expect(hasOwnProxy({ ...endpoint, port: 8443 }, true)).toBe(true);
    expect(endpointAddress(endpoint, { ...at, own: '10.0.0.2', serves: true })).toBe('10.0.0.2');
  });
  it('is the address that the site file gives', () => {
    expect(endpointAddress({ ...endpoint, by: 'others', address: '10.0.0.99' }, at)).toBe('10.0.0.99');
  });
  it('changes the haproxy pod when a control plane is added, so that it is started anew', () => {
    const { controlPlanes } = kubernetesSettings(siteOf(), 'v1.34.4');
    const two = haproxyConfig(controlPlanes.slice(0, 2), 6443);
    const three = haproxyConfig(controlPlanes, 6443);
    expect(three).toContain('server cp3 10.0.0.3:6443 check');
    expect(haproxyPod('haproxy:2.6', two)).not.toBe(haproxyPod('haproxy:2.6', three));
  });
});

describe('the members of etcd', () => {
  it('keep all 64 bits of their ids', () => {
    const text =
      '{"header":{"cluster_id":17237436991929493444},"members":[{"ID":10276657743932975437,"name":"cp1","peerURLs":["https://10.0.0.1:2380"]},{"ID":1,"peerURLs":["https://10.0.0.2:2380"],"isLearner":true}]}';
    expect(parseMembers(text)).toEqual([
      { id: '8e9e05c52164694d', name: 'cp1', peer: 'https://10.0.0.1:2380', client: '', learner: false },
      { id: '1', name: '', peer: 'https://10.0.0.2:2380', client: '', learner: true },
    ]);
  });
});
