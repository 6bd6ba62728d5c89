import { describe, expect, it } from 'vitest';
import { neededComponents } from '../../../src/lock/component-files.ts';
import { componentProblems } from '../../../src/lock/component-problems.ts';
import { loadedRelease } from '../../support/releases.ts';

/** One component of a release without the three of Kubernetes, unless they are asked for. */
async function sourcesOf(fields: Record<string, unknown>, ...names: string[]): Promise<string[]> {
  const { release } = await loadedRelease(fields);
  const wanted = (name: string): boolean => (names.length === 0 ? !name.startsWith('kube') : names.includes(name));
  return neededComponents(release).flatMap(({ component, source }) => (wanted(component.name) ? [source] : []));
}

const kubernetes = (components: Record<string, string>, version = 'v1.34.4'): { kubernetes: object } => ({
  kubernetes: { version, components },
});
const BOTH = { platforms: ['linux/amd64', 'linux/arm64'] };

describe('the components of a release', () => {
  it('are none without kubernetes.components, and kubeadm, kubelet and kubectl with an empty one', async () => {
    expect(await sourcesOf({ kubernetes: { version: 'v1.34.4' } }, 'kubeadm', 'kubelet', 'kubectl')).toEqual([]);
    expect(await sourcesOf(kubernetes({}), 'kubeadm', 'kubelet', 'kubectl')).toEqual([
      'https://dl.k8s.io/release/v1.34.4/bin/linux/amd64/kubeadm',
      'https://dl.k8s.io/release/v1.34.4/bin/linux/amd64/kubelet',
      'https://dl.k8s.io/release/v1.34.4/bin/linux/amd64/kubectl',
    ]);
  });

  it.each([
    ['containerd', '1.7.28', 'containerd/containerd/releases/download/v1.7.28/containerd-1.7.28-linux-', '.tar.gz'],
    ['runc', '1.3.0', 'opencontainers/runc/releases/download/v1.3.0/runc.', ''],
    ['cni-plugins', '1.7.1', 'containernetworking/plugins/releases/download/v1.7.1/cni-plugins-linux-', '-v1.7.1.tgz'],
    ['crictl', '1.34.0', 'kubernetes-sigs/cri-tools/releases/download/v1.34.0/crictl-v1.34.0-linux-', '.tar.gz'],
    ['etcd', '3.6.5', 'etcd-io/etcd/releases/download/v3.6.5/etcd-v3.6.5-linux-', '.tar.gz'],
    ['calicoctl', '3.30.0', 'projectcalico/calico/releases/download/v3.30.0/calicoctl-linux-', ''],
    ['registry', '3.0.0', 'distribution/distribution/releases/download/v3.0.0/registry_3.0.0_linux_', '.tar.gz'],
    ['coredns', '1.12.1', 'coredns/coredns/releases/download/v1.12.1/coredns_1.12.1_linux_', '.tgz'],
    ['harbor', '2.16.0', 'goharbor/harbor/releases/download/v2.16.0/harbor-offline-installer-v2.16.0-', '.tgz'],
  ])('%s comes from its project for both architectures, with or without a v', async (name, version, before, after) => {
    const expected = ['amd64', 'arm64'].map((arch) => `https://github.com/${before}${arch}${after}`);
    expect(await sourcesOf({ ...kubernetes({ [name]: version }), ...BOTH })).toEqual(expected);
    expect(await sourcesOf({ ...kubernetes({ [name]: `v${version}` }), ...BOTH })).toEqual(expected);
  });

  it('have the architecture as each project spells it', async () => {
    const components = { helm: '3.19.0', docker: '28.3.0', 'docker-compose': 'v2.39.2' };
    expect((await sourcesOf({ ...kubernetes(components), ...BOTH })).sort()).toEqual([
      'https://download.docker.com/linux/static/stable/aarch64/docker-28.3.0.tgz',
      'https://download.docker.com/linux/static/stable/x86_64/docker-28.3.0.tgz',
      'https://get.helm.sh/helm-v3.19.0-linux-amd64.tar.gz',
      'https://get.helm.sh/helm-v3.19.0-linux-arm64.tar.gz',
      'https://github.com/docker/compose/releases/download/v2.39.2/docker-compose-linux-aarch64',
      'https://github.com/docker/compose/releases/download/v2.39.2/docker-compose-linux-x86_64',
    ]);
  });

  it('have one Harbor installer, for amd64, before 2.16', async () => {
    expect(await sourcesOf(kubernetes({ harbor: 'v2.14.0' }))).toEqual([
      'https://github.com/goharbor/harbor/releases/download/v2.14.0/harbor-offline-installer-v2.14.0.tgz',
    ]);
    expect(await problemsOf({ ...kubernetes({ harbor: 'v2.14.0' }), ...BOTH })).toEqual([
      'kubernetes.components.harbor: Harbor v2.14.0 has no installer for linux/arm64; 2.16.0 is the first that has one',
    ]);
  });

  it('come from a mirror that stands for a base, the longest one that fits, or from an address of their own', async () => {
    const sources = {
      base: {
        'https://github.com': 'https://mirror.corp.example/gh/',
        'https://github.com/opencontainers': 'http://other.example',
      },
      files: { crictl: 'https://files.example/{os}-{arch}/crictl?v={version}' },
    };
    expect(await sourcesOf({ ...kubernetes({ containerd: '1.7.28', runc: '1.3.0', crictl: '1.34.0' }), sources })).toEqual([
      'https://mirror.corp.example/gh/containerd/containerd/releases/download/v1.7.28/containerd-1.7.28-linux-amd64.tar.gz',
      'http://other.example/runc/releases/download/v1.3.0/runc.amd64',
      'https://files.example/linux-amd64/crictl?v=v1.34.0',
    ]);
  });

  it('keep upstream’s file name and say where their checksum is, wherever they come from', async () => {
    const { release } = await loadedRelease({
      ...kubernetes({ runc: 'v1.3.0', docker: '28.3.0' }),
      sources: { files: { runc: 'http://m.example/r/{version}-{arch}.bin' } },
    });
    const found = neededComponents(release).map(({ name, title, checksum }) => [name, title, checksum?.url]);
    expect(found).toContainEqual(['components/runc/linux-amd64', 'runc.amd64', 'http://m.example/r/runc.sha256sum']);
    expect(found).toContainEqual(['components/docker/linux-amd64', 'docker-28.3.0.tgz', undefined]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'a base that nothing comes from',
      { sources: { base: { 'https://dl.k8s.oi': 'http://m' } } },
      'Did you mean “https://dl.k8s.io”?',
    ],
    ['a base that is replaced by no URL', { sources: { base: { 'https://dl.k8s.io': '/mnt' } } }, 'http(s) URL'],
    ['an unknown placeholder', { sources: { files: { runc: 'http://m/{ver}' } } }, '{ver} is not known'],
    [
      'one address for two architectures',
      { ...BOTH, ...kubernetes({ runc: '1.3.0' }), sources: { files: { runc: 'http://m/runc' } } },
      'sources.files.runc: needs {arch}',
    ],
    ['a platform without programs', { ...kubernetes({}), platforms: ['linux/s390x'] }, 'not for linux/s390x'],
    ['an address of an image', { sources: { files: { haproxy: 'http://m/h' } } }, 'is an image'],
  ])('are refused for %s', async (_, fields, text) => {
    expect((await problemsOf(fields)).join('\n')).toContain(text);
  });
});

async function problemsOf(fields: Record<string, unknown>): Promise<string[]> {
  const { release } = await loadedRelease(fields);
  return componentProblems(release).map(({ path, message }) => `${path.join('.')}: ${message}`);
}
