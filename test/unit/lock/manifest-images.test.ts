import { describe, expect, it } from 'vitest';
import { manifestImages } from '../../../src/lock/manifest-images.ts';

const images = (text: string): string[] =>
  manifestImages('k8s/all.yaml', 'manifests[0], all.yaml', text).map(({ image }) => image);
const object = (kind: string, spec: string, apiVersion = 'apps/v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: one }\nspec: ${spec}\n`;
const POD = '{ initContainers: [{ image: "a/i:1" }], containers: [{ name: c, image: b/c:1 }, { image: c }] }';

describe('the images of manifests', () => {
  it.each([
    ['a Pod', object('Pod', POD, 'v1')],
    ['a DaemonSet', object('DaemonSet', `{ template: { spec: ${POD} } }`)],
    ['a CronJob', object('CronJob', `{ jobTemplate: { spec: { template: { spec: ${POD} } } } }`, 'batch/v1')],
    ['a kind that nobody knows', object('Rollout', `{ strategy: {}, template: { spec: ${POD} } }`, 'argoproj.io/v1alpha1')],
    ['a List', `apiVersion: v1\nkind: List\nitems: [{ apiVersion: v1, kind: Pod, spec: ${POD} }]\n`],
  ])('are found in %s', (_, text) => {
    expect(images(text)).toEqual(['docker.io/a/i:1', 'docker.io/b/c:1', 'docker.io/library/c:latest']);
  });

  it('are found in ephemeral containers and image volumes', () => {
    const spec =
      '{ containers: [{ image: a:1 }], ephemeralContainers: [{ image: b:1 }], volumes: [{ image: { reference: c:1 } }, { emptyDir: {} }] }';
    expect(images(object('Pod', spec, 'v1'))).toEqual(['a', 'b', 'c'].map((name) => `docker.io/library/${name}:1`));
  });

  it('are found in the pod that a ConfigMap hands to a controller, and not in its other text', () => {
    const pod = 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: helper}\\nspec: {containers: [{name: h, image: busybox:1.36}]}';
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { helperPod.yaml: "${pod}", notes.yaml: "{{ x", image: "a:1" }\n`;
    expect(images(text)).toEqual(['docker.io/library/busybox:1.36']);
  });

  it('are not looked for in the schema of a custom resource', () => {
    const spec = '{ versions: [{ schema: { default: { containers: [{ image: not/an:image }] } } }] }';
    expect(images(object('CustomResourceDefinition', spec, 'apiextensions.k8s.io/v1'))).toEqual([]);
  });

  it('are read as kubectl reads: several documents, odd separators, YAML 1.1, empty documents, merge keys, keys twice', () => {
    const text = [
      '# nothing yet',
      '--- ',
      object('Pod', `{ containers: [{ image: a:1, securityContext: { privileged: yes } }] }`, 'v1'),
      '---   # the next one',
      'base: &base { image: b:1 }',
      'apiVersion: v1',
      'kind: Pod',
      'metadata: { name: two }',
      'spec:',
      '  containers:',
      '    - <<: *base',
      '      name: c',
      '      name: d',
      '---',
      '---',
      '{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"c:1"}]}}',
    ].join('\n');
    expect(images(text)).toEqual(['a', 'b', 'c'].map((name) => `docker.io/library/${name}:1`));
    expect(images('')).toEqual([]);
    expect(images('---\n')).toEqual([]);
  });

  it('say who asks for them', () => {
    const text = object('DaemonSet', '{ template: { spec: { containers: [{ image: a:1 }] } } }');
    expect(manifestImages('f', 'manifests[0], all.yaml', text)).toEqual([
      { image: 'docker.io/library/a:1', place: 'manifests[0], all.yaml, DaemonSet one' },
    ]);
  });

  it.each([
    ['what is no YAML', 'a: [1\n', 'E_YAML', /k8s\/all\.yaml:\d+:\d+ {2}/],
    ['a template of another tool', 'image: {{ .Values.image }}\n', 'E_YAML', 'k8s/all.yaml:1:9  a key can’t be a map'],
    ['what is no object', '---\nreplicaCount: 1\n', 'E_SCHEMA', 'k8s/all.yaml:2:1  is no Kubernetes object'],
    [
      'a variable in an image',
      object('Pod', '\n  containers:\n    - image: "${REGISTRY}/a:1"', 'v1'),
      'E_REFERENCE',
      'k8s/all.yaml:6:14  “${REGISTRY}/a:1”',
    ],
    ['an image that is no text', object('Pod', '{ containers: [{ image: [a] }] }', 'v1'), 'E_REFERENCE', '“["a"]”'],
    ['a kustomization', 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n', 'E_NOT_YET', 'k8s/all.yaml:2:7'],
  ] as const)('are refused with the place for %s', (_, text, code, place) => {
    expect(() => images(text)).toThrowWithCode(code, place);
  });
});
