import { describe, expect, it } from 'vitest';
import { skewAdvice, skewProblems } from '../../../src/lock/component-skew.ts';

const problems = (version: string, components: Record<string, string>): string[] =>
  skewProblems({ kubernetes: { version, components } }).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('versions that go together', () => {
  it.each([
    ['v1.21.5', { containerd: '1.4.3', etcd: 'v3.4.13', crictl: 'v1.22.0' }],
    ['v1.21.5', { containerd: '1.7.28', 'cni-plugins': 'v0.9.1' }],
    ['v1.25.0', { containerd: '2.0.0' }],
    ['v1.33.13', { containerd: '1.7.28', runc: 'v1.3.0', crictl: 'v1.34.0', etcd: '3.5.24' }],
    ['v1.34.4', { containerd: '2.1.4', runc: '1.3.0', crictl: '1.34.0', etcd: 'v3.6.5' }],
    ['v1.35.0', { containerd: 'v1.7.28' }],
    ['v1.36.1', { containerd: '2.3.0' }],
    ['v1.40.0', { containerd: '3.0.0' }],
  ])('Kubernetes %s with %o', (version, components) => {
    expect(problems(version, components)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'v1.36.0',
      { containerd: '1.7.28' },
      'components.containerd: Kubernetes 1.36 needs containerd 2.2.0+, not 1.7.28 (containerd RELEASES.md',
    ],
    ['v1.35.0', { containerd: '2.1.4' }, 'needs containerd 1.7.28+, 2.1.5+, 2.2.0+, not 2.1.4'],
    ['v1.35.0', { containerd: '2.0.9' }, 'not 2.0.9'],
    ['v1.34.4', { containerd: '1.6.39' }, 'not 1.6.39'],
    ['v1.22.1', { containerd: '2.0.0' }, 'CRI v1alpha2'],
    ['v1.34.4', { crictl: 'v1.32.0' }, 'components.crictl: crictl 1.34, or one minor beside it'],
    ['v1.34.4', { etcd: '3.5.21' }, 'wants an external etcd 3.5.24 or newer, not 3.5.21 (kubeadm constants.go'],
    ['v1.34.4', { containerd: '2.1.4', runc: '1.1.9' }, 'components.runc: containerd 2.1.4 is tested with runc 1.2.0'],
    ['v1.24.0', { 'cni-plugins': 'v0.9.1' }, 'components.cni-plugins: Kubernetes 1.24 on containerd needs cni-plugins 1.0.0'],
    ['v1.23.0', { containerd: '1.6.3', 'cni-plugins': 'v0.9.1' }, 'containerd 1.6.3 needs cni-plugins 1.0.0 or newer, not 0.9.1'],
    ['v1.34.4', { containerd: '1.7' }, 'components.containerd: must be a whole version'],
    ['v1.20.15', {}, 'kubernetes.version: deliver installs Kubernetes 1.21 and newer'],
  ])('Kubernetes %s is refused with %o', (version, components, text) => {
    expect(problems(version, components).join('\n')).toContain(text);
  });

  it('says of a Kubernetes that is newer than the rules that nobody tried it', () => {
    expect(skewAdvice({ kubernetes: { version: 'v1.38.0', components: {} } }).join()).toContain('newer than deliver’s rules');
    expect(skewAdvice({ kubernetes: { version: 'v1.37.0', components: {} } })).toEqual([]);
    expect(skewAdvice({ kubernetes: { version: 'v1.38.0' } })).toEqual([]);
  });
});
