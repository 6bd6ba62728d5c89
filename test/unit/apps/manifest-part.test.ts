import { describe, expect, test } from 'vitest';
import { manifestPartObjects } from '../../../src/apps/manifest-part.ts';
import { withPullSecret } from '../../../src/apps/manifest-pull.ts';
import { ingressUrls } from '../../../src/apps/ingress.ts';
import { inNamespaces } from '../../../src/cluster/scope.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';

const VALUES = {
  site: { metadata: { name: 'plant-7' }, network: { pods: '10.244.0.0/16' }, values: { port: 8080, list: [1] } },
  dns: { names: 'template IN A nip.io {\n}' },
};

const objects = (text: string): KubeObject[] => manifestPartObjects([{ file: 'a.yaml', text }], VALUES, 'suite');
const data = (value: string): KubeObject | undefined =>
  objects(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n  key: ${value}\n`)[0];

describe('manifests of a release', () => {
  test.each([
    ['"${site.network.pods}"', '10.244.0.0/16'],
    ['"pods: ${site.network.pods}"', 'pods: 10.244.0.0/16'],
    ['${site.values.port}', 8080],
    ['"${HOME}/$(NAME) ${VOL_DIR:-x} ${}"', '${HOME}/$(NAME) ${VOL_DIR:-x} ${}'],
    ['"$${site.network.pods}"', '$${site.network.pods}'],
    ['0644', 0o644],
    ['"${dns.names}"', VALUES.dns.names],
  ])('%s becomes %s: the site’s values, and nothing of a shell', (written, meant) => {
    expect(data(written)).toMatchObject({ data: { key: meant } });
  });

  test.each([
    [
      '"${site.network.pod}"',
      'a.yaml:5:8  ${site.network.pod} names something that a site file does not have. Did you mean “pods”?',
    ],
    ['"x ${site.values.list}"', 'is a list or map, and stands inside a text'],
  ])('%s is refused with its place', (written, text) => {
    expect(() => data(written)).toThrowWithCode('E_VARIABLE', text);
  });

  test('a list stands for what it holds; what only the server writes is left out; labels of others stay', () => {
    const item = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', uid: 'x', creationTimestamp: null, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
      status: {},
    };
    expect(objects(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item] }))).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a', labels: { 'app.kubernetes.io/managed-by': 'Helm', 'deliver-release': 'suite' } },
      },
    ]);
  });

  test('an object without a name is refused: it would be another one at each install', () => {
    expect(() => objects('apiVersion: v1\nkind: Pod\nmetadata: { generateName: a- }')).toThrowWithCode(
      'E_SCHEMA',
      'generateName',
    );
  });

  test('a namespace is given where kubectl would give one, and taken where there is none', async () => {
    const list = objects(
      [
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }',
        'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: b, namespace: x }',
        'apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: { name: c }',
      ].join('\n---\n'),
    );
    const api = {
      list: () =>
        Promise.resolve([
          {
            apiVersion: 'apiextensions.k8s.io/v1',
            kind: 'CustomResourceDefinition',
            metadata: { name: 'c' },
            spec: { group: 'gateway.networking.k8s.io', names: { kind: 'GatewayClass' }, scope: 'Cluster' },
          },
        ]),
    };
    const placed = await inNamespaces(list, new Map(), api);
    expect(placed.map(({ metadata }) => metadata.namespace)).toEqual(['default', undefined, undefined]);
  });

  test('a pull secret is added where there is none, and only there', () => {
    const pod = (spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec });
    expect(withPullSecret(pod({ containers: [] }), 's')).toMatchObject({
      spec: { containers: [], imagePullSecrets: [{ name: 's' }] },
    });
    const own = pod({ imagePullSecrets: [{ name: 'own' }] });
    expect(withPullSecret(own, 's')).toBe(own);
    const map: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    expect(withPullSecret(map, 's')).toBe(map);
  });

  test('the addresses of an Ingress are those of its rules', () => {
    const spec = {
      tls: [{ hosts: ['b.example'], secretName: 's' }],
      rules: [{ host: 'a.example' }, { host: 'b.example', http: { paths: [{ path: '/start' }] } }, { host: '*.c.example' }, {}],
    };
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'a' }, spec };
    expect(ingressUrls(ingress)).toEqual(['http://a.example', 'https://b.example/start']);
  });
});
