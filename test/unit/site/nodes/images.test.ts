import { expect, it } from 'vitest';
import { digestOf } from '../../../../src/core/digest.ts';
import { SiteSchema, type Site } from '../../../../src/manifest/site-schema.ts';
import { imagesTodo, labelsToTake, parseStore, wishedImages } from '../../../../src/site/nodes/images.ts';
import { buildRelease } from '../../../support/bundles.ts';

const [A, B] = [digestOf(Buffer.from('a')), digestOf(Buffer.from('b'))];

const SAID = `version ctr github.com/containerd/containerd/v2 v2.1.4 75cb2b7193e4e490e9fbdc236c0e811ccaba3376
check REF                                TYPE                                    DIGEST STATUS         SIZE              UNPACKED 
check docker.io/library/one:1            application/vnd.oci.image.manifest.v1+json ${A} complete (2/2) 1.1 MiB/1.1 MiB true     
check registry.k8s.io/two:1              application/vnd.oci.image.manifest.v1+json ${B} incomplete (1/2) 0.5 KiB/1.1 MiB false     
image REF                     TYPE                                       DIGEST  SIZE    PLATFORMS   LABELS 
image docker.io/library/one:1 application/vnd.oci.image.manifest.v1+json ${A} 1.1 MiB linux/amd64 io.cri-containerd.image=managed,io.cri-containerd.pinned=pinned 
image registry.k8s.io/two:1   application/vnd.oci.image.manifest.v1+json ${B} 1.1 MiB linux/amd64 - 
end
`;

it('reads what containerd says of its images: half an image is none', () => {
  const store = parseStore(SAID);
  expect(store?.version).toBe('2.1.4');
  expect(store?.images.get('docker.io/library/one:1')).toEqual({
    digest: A,
    whole: true,
    labels: ['io.cri-containerd.image=managed', 'io.cri-containerd.pinned=pinned'],
  });
  expect(store?.images.get('registry.k8s.io/two:1')).toEqual({ digest: B, whole: false, labels: [] });
});

it('takes a node without containerd for an empty one, and an answer that was cut for none', () => {
  expect(parseStore('none\n')).toEqual({ images: new Map() });
  expect(parseStore(SAID.replace('end\n', ''))).toBeUndefined();
});

const site = (roles: Site['roles']): Site =>
  SiteSchema.parse({ apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'edge' }, roles });

const { lock } = buildRelease({
  images: [
    { reference: 'registry.k8s.io/kube-apiserver:v1.34.4', layers: [], neededBy: ['kubernetes v1.34.4'] },
    { reference: 'registry.k8s.io/kube-proxy:v1.34.4', layers: [], neededBy: ['kubernetes v1.34.4'] },
    { reference: 'docker.io/library/busybox:1.36', layers: [], neededBy: ['app web'] },
    { reference: `quay.io/a/b:1@${A}`, layers: [], neededBy: ['images[0]'] },
  ],
});
const namesOn = (roles: Site['roles'], node: string): string[] => wishedImages(lock, site(roles), node).map(({ name }) => name);

it('brings a node what it may run, under the names that containerd makes of references', () => {
  const roles = { 'control-plane': ['cp1'], worker: ['w1'] };
  const both = ['registry.k8s.io/kube-proxy:v1.34.4', `quay.io/a/b@${A}`];
  expect(namesOn(roles, 'cp1')).toEqual(['registry.k8s.io/kube-apiserver:v1.34.4', ...both]);
  expect(namesOn(roles, 'w1')).toEqual([both[0], 'docker.io/library/busybox:1.36', both[1]]);
});

it('brings everything to a control plane that also runs pods, and to nodes of a cluster that deliver did not make', () => {
  expect(namesOn({ 'control-plane': ['cp1'], worker: ['cp1'] }, 'cp1')).toHaveLength(4);
  expect(namesOn(undefined, 'w1')).toHaveLength(4);
});

it('pulls by digest, pins what is there, and lets go of what only this release kept', () => {
  const wished = [
    { name: 'a', digest: A, size: 1, reference: 'a' },
    { name: 'b', digest: B, size: 1, reference: 'b' },
  ];
  const ours = ['io.cri-containerd.pinned=pinned', 'deliver.release/suite=kept'];
  const images = new Map([
    ['a', { digest: A, whole: true, labels: [] }],
    ['b', { digest: A, whole: true, labels: ours }],
    ['old', { digest: A, whole: true, labels: ours }],
    ['shared', { digest: A, whole: true, labels: [...ours, 'deliver.release/other=kept'] }],
    ['theirs', { digest: A, whole: true, labels: ['io.cri-containerd.pinned=pinned'] }],
  ]);
  const { pull, keep, letGo } = imagesTodo(wished, { images }, 'suite');
  expect([pull, keep].map((list) => list.map(({ name }) => name))).toEqual([['b'], ['a']]);
  expect(letGo).toEqual(['old', 'shared']);
  const taken = letGo.map((name) => labelsToTake(images.get(name) ?? { digest: A, whole: true, labels: [] }, 'suite'));
  expect(taken).toEqual([['deliver.release/suite=', 'io.cri-containerd.pinned='], ['deliver.release/suite=']]);
});
