import { describe, expect, it } from 'vitest';
import { imagesByTable } from '../../../src/lock/component-image-table.ts';

describe('the table of Kubernetes’ images', () => {
  it('names what kubeadm v1.34.4 names', () => {
    expect(imagesByTable('v1.34.4')).toEqual([
      'registry.k8s.io/kube-apiserver:v1.34.4',
      'registry.k8s.io/kube-controller-manager:v1.34.4',
      'registry.k8s.io/kube-scheduler:v1.34.4',
      'registry.k8s.io/kube-proxy:v1.34.4',
      'registry.k8s.io/coredns/coredns:v1.12.1',
      'registry.k8s.io/pause:3.10.1',
      'registry.k8s.io/etcd:3.6.5-0',
    ]);
  });

  it.each([
    ['v1.21.5', 'k8s.gcr.io/etcd:3.4.13-0', 'k8s.gcr.io/pause:3.4.1'],
    ['v1.24.8', 'k8s.gcr.io/etcd:3.5.5-0', 'k8s.gcr.io/pause:3.7'],
    ['v1.24.9', 'registry.k8s.io/etcd:3.5.6-0', 'registry.k8s.io/pause:3.7'],
    ['v1.33.5', 'registry.k8s.io/etcd:3.5.21-0', 'registry.k8s.io/pause:3.10'],
    ['v1.33.6', 'registry.k8s.io/etcd:3.5.24-0', 'registry.k8s.io/pause:3.10'],
  ])('knows at which patch release %s the tags changed', (version, etcd, pause) => {
    expect(imagesByTable(version)).toEqual(expect.arrayContaining([etcd, pause]));
  });

  it.each(['v1.20.15', 'v1.34.11', 'v1.37.0', 'v2.0.0', 'nonsense'])('does not guess for %s', (version) => {
    expect(imagesByTable(version)).toBeUndefined();
  });
});
