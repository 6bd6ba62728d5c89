import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadRelease, type LoadedRelease } from '../../../../src/manifest/load-release.ts';
import { folderWith } from '../../../support/files.ts';

const SAMPLE = 'test/fixtures/kubekey/manifest-sample.yaml';

type Fields = Readonly<Record<string, unknown>>;

const SPEC = { arches: ['amd64'], kubernetesDistributions: [{ type: 'kubernetes', version: 'v1.33.13' }] };

async function manifest(spec: Fields, metadata: Fields = {}, top: Fields = {}): Promise<LoadedRelease> {
  const text = stringify({
    apiVersion: 'kubekey.kubesphere.io/v1alpha2',
    kind: 'Manifest',
    metadata: { name: 'sample', ...metadata },
    spec: { ...SPEC, ...spec },
    ...top,
  });
  return loadRelease(join(await folderWith({ 'manifest.yaml': text }), 'manifest.yaml'));
}

describe('the Manifest of the article', () => {
  it('is a release with every component that it names, and those that it forgets', async () => {
    const { release } = await loadRelease(SAMPLE);
    expect(release).toEqual({
      apiVersion: 'deliver/v1',
      kind: 'Release',
      metadata: { name: 'sample', version: '1.21.5' },
      platforms: ['linux/amd64'],
      kubernetes: {
        version: 'v1.21.5',
        components: {
          'cni-plugins': 'v0.9.1',
          crictl: 'v1.22.0',
          helm: 'v3.6.3',
          etcd: 'v3.4.13',
          harbor: 'v2.4.1',
          docker: '20.10.8',
          'docker-compose': 'v2.2.2',
          containerd: '1.7.28',
          runc: 'v1.3.0',
        },
      },
      images: ['dockerhub.kubekey.local/kubesphere/kube-apiserver:v1.22.1'],
    });
  });

  it('is warned about: an image of another Kubernetes, what was added, what is not carried', async () => {
    const { notes = [] } = await loadRelease(SAMPLE);
    expect(notes.map((note) => note.replace(`${SAMPLE}:`, ''))).toEqual([
      '4:3  metadata.name: the release is sample 1.21.5: a Manifest has no version of its own',
      expect.stringMatching(/^9:5 {2}spec\.operatingSystems\[0\]: packages for ubuntu 20\.04 are not carried/),
      '21:3  spec.components: not named but needed, so added: containerd 1.7.28, runc v1.3.0',
      expect.stringMatching(/^\d+:5 {2}spec\.images\[0\]: kube-apiserver v1\.22\.1 does not fit Kubernetes v1\.21\.5/),
    ]);
  });
});

it('takes the Manifest in manifests/', async () => {
  const { release } = await loadRelease('manifests/kubekey-manifest.yaml');
  expect(release.metadata).toEqual({ name: 'kubekey-sample', version: '1.33.13' });
  expect(release.kubernetes?.components).toMatchObject({ registry: '3.0.0', haproxy: '2.6.12' });
  expect(Object.keys(release.sources?.base ?? {})).toContain('https://dl.k8s.io');
});

it('brings docker along for a Harbor, and reads “2” as a registry program', async () => {
  const components = { harbor: { version: 'v2.14.0' }, 'docker-registry': { version: '2' } };
  const { release, notes } = await manifest({ components });
  expect(release.kubernetes?.components).toMatchObject({ docker: '24.0.9', 'docker-compose': 'v2.2.2', registry: '2.8.3' });
  expect(notes?.join('\n')).toContain('docker 24.0.9');
});

it('keeps the accounts of registries out of the release', async () => {
  const auths = {
    'a.example': { username: 'me', password: 'hunter22', plainHTTP: true },
    'b.example': { certsPath: './certs/' },
  };
  const { release, accounts } = await manifest({ registry: { auths } });
  expect(release.sources?.registries).toEqual({
    'a.example': { mirror: 'a.example', plainHttp: true },
    'b.example': { mirror: 'b.example', ca: './certs/ca.crt' },
  });
  expect(JSON.stringify([release, accounts])).not.toContain('hunter22');
  expect(accounts?.get('a.example')?.password.reveal()).toBe('hunter22');
});

it('says more in an annotation than KubeKey can', async () => {
  const text = 'metadata: { version: 4.2.0 }\nmanifests: [{ path: ./flannel.yaml }]\n';
  const { release } = await manifest({}, { annotations: { 'deliver/release': text } });
  expect(release.metadata).toEqual({ name: 'sample', version: '4.2.0' });
  expect(release.manifests).toEqual([{ path: './flannel.yaml' }]);
});

it.each([
  [
    'two versions of Kubernetes',
    { kubernetesDistributions: [...SPEC.kubernetesDistributions, { type: 'kubernetes', version: 'v1.34.4' }] },
    'E_NOT_YET',
    'a release carries one Kubernetes',
  ],
  ['k3s', { kubernetesDistributions: [{ type: 'k3s', version: 'v1.33.1' }] }, 'E_NOT_YET', 'with kubeadm'],
  [
    'CRI-O',
    { components: { containerRuntimes: [{ type: 'crio', version: '1.30.0' }] } },
    'E_NOT_YET',
    'deliver installs containerd',
  ],
  ['an unchecked certificate', { registry: { auths: { 'a.b': { skipTLSVerify: true } } } }, 'E_NOT_YET', 'give its CA'],
  [
    'a version that is none',
    { kubernetesDistributions: [{ type: 'kubernetes', version: '1.33' }] },
    'E_SCHEMA',
    'spec.kubernetesDistributions[0].version: must look like v1.34.4',
  ],
  [
    'a component that is none',
    { components: { hlem: { version: 'v3.19.0' } } },
    'E_SCHEMA',
    'spec.components.hlem: unknown key. Did you mean “helm”?',
  ],
  [
    'an image that is none',
    { images: ['a.b/c:1', 'Not/Good'] },
    'E_REFERENCE',
    'spec.images[1]: “Not/Good” is not an image reference',
  ],
  ['a number as version', { components: { 'docker-registry': { version: 2 } } }, 'E_SCHEMA', 'must be text; put it in quotes'],
  ['components without Kubernetes', { kubernetesDistributions: [], components: {} }, 'E_SCHEMA', 'needs kubernetesDistributions'],
] as const)('is refused for %s', async (_, spec, code, text) => {
  await expect(manifest(spec)).rejects.toThrowWithCode(code, text);
});

it('is refused as another kind or version, with a word on which', async () => {
  await expect(manifest({}, {}, { kind: 'Cluster' })).rejects.toThrowWithCode(
    'E_SCHEMA',
    'a Manifest or a Release is needed here',
  );
  const old = manifest({}, {}, { apiVersion: 'kubekey.kubesphere.io/v1alpha1' });
  await expect(old).rejects.toThrowWithCode('E_NOT_YET', 'set v1alpha2');
});
