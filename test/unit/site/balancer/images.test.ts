import { describe, expect, it } from 'vitest';
import type { Site } from '../../../../src/manifest/site-schema.ts';
import { balancerImages, refuseMissingBalancer } from '../../../../src/site/balancer/images.ts';

const site = (controlPlaneEndpoint?: Site['controlPlaneEndpoint'], worker: string[] = ['w1']): Site => ({
  apiVersion: 'deliver/v1',
  kind: 'Site',
  metadata: { name: 'plant-7' },
  roles: { 'control-plane': ['cp1', 'cp2', 'cp3'], worker },
  ...(controlPlaneEndpoint === undefined ? {} : { controlPlaneEndpoint }),
});
const judged = (one: Site, ...references: string[]) => {
  refuseMissingBalancer(one, balancerImages(references));
  return 'can be made';
};
const HAPROXY = 'docker.io/library/haproxy:2.6.12';
const KUBE_VIP = 'ghcr.io/kube-vip/kube-vip:v0.9.2';

describe('the load balancer of the control planes', () => {
  it('is refused before anything is changed when the release has no image of it', () => {
    const haproxy = { domain: 'lb.site.local', loadBalancer: 'haproxy' } as const;
    expect(() => judged(site(haproxy), 'registry.k8s.io/pause:3.10')).toThrowWithCode('E_PREFLIGHT', 'haproxy: <version>');
    expect(judged(site(haproxy), HAPROXY)).toBe('can be made');
    const vip = { domain: 'lb.site.local', address: '10.0.0.9', loadBalancer: 'kube-vip' } as const;
    expect(() => judged(site(vip), HAPROXY)).toThrowWithCode('E_PREFLIGHT', 'kube-vip: <version>');
    expect(judged(site(vip), KUBE_VIP)).toBe('can be made');
  });

  it('needs an address where it is kube-vip', () => {
    expect(() => judged(site({ domain: 'lb', loadBalancer: 'kube-vip' }), KUBE_VIP)).toThrowWithCode('E_PREFLIGHT', 'address');
  });

  it('needs nothing where nobody would run it', () => {
    expect(judged(site())).toBe('can be made');
    expect(judged(site({ domain: 'lb', address: '10.0.0.9', loadBalancer: 'none' }))).toBe('can be made');
    // A control plane calls itself.
    expect(judged(site({ domain: 'lb', loadBalancer: 'haproxy' }, []))).toBe('can be made');
  });
});
