import { describe, expect, test } from 'vitest';
import type { ManifestPart } from '../../../src/apps/manifest-part.ts';
import { orderApps } from '../../../src/apps/order.ts';
import { renderRelease, type ReleaseGroup } from '../../../src/apps/release-objects.ts';
import { fieldAt, textAt } from '../../../src/cluster/fields.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';
import { Secret } from '../../../src/core/secret.ts';
import { aRelease, aReleaseContext, anApp, someSecrets } from '../../support/apps.ts';

const objectsOf = (groups: readonly ReleaseGroup[]): KubeObject[] => groups.flatMap((group) => group.render(new Map()));
const named = (name: string, dependsOn: string[] = []): unknown => anApp({ name, dependsOn });

describe('order of apps', () => {
  test('each comes after those it depends on, otherwise as the release has them', () => {
    const apps = [named('c', ['a']), named('b'), named('a', ['redis-cluster']), named('d', ['c', 'b'])];
    expect(orderApps(aRelease({ apps }))).toEqual(['a', 'c', 'b', 'd']);
  });

  test.each([
    ['a circle', [named('a', ['b']), named('b', ['c']), named('c', ['a'])], 'a → b → c → a'],
    ['an unknown name', [named('a', ['nothing'])], 'nothing'],
    ['a name used twice', [named('a'), named('a')], 'a'],
  ])('%s is refused by name', (_, apps, text) => {
    expect(() => orderApps(aRelease({ apps }))).toThrowWithCode('E_GRAPH', text);
  });
});

describe('a release', () => {
  test('is namespaces, externals and apps, in this order', () => {
    const groups = renderRelease(aRelease(), aReleaseContext());
    expect(groups.map(({ id }) => id)).toEqual(['namespaces', 'externals', 'app/gatekeeper']);
    expect(objectsOf(groups).map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
      'Namespace/project',
      'Service/redis-cluster',
      'EndpointSlice/redis-cluster-deliver-ipv4',
      'Service/gatekeeper',
      'StatefulSet/gatekeeper',
      'Ingress/gatekeeper',
    ]);
  });

  test('renders to the same objects each time', () => {
    const render = (): string =>
      JSON.stringify(renderRelease(aRelease(), aReleaseContext()).map((group) => group.render(new Map())));
    expect(render()).toBe(render());
  });

  test('an account to pull with becomes a Secret per namespace of apps, by the hosts that images name', () => {
    const account = { username: 'robot$deliver', password: 'long-enough' };
    const groups = renderRelease(aRelease(), aReleaseContext({ pull: { account, hosts: ['quay.io', 'docker.io'] } }));
    const secret = groups[0]?.render(new Map()).find(({ kind }) => kind === 'Secret');
    expect(secret).toMatchObject({
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { name: 'deliver-pull-suite', namespace: 'project' },
    });
    const config = JSON.parse(Buffer.from(textAt(secret, 'data', '.dockerconfigjson') ?? '', 'base64').toString()) as {
      auths: object;
    };
    expect(Object.keys(config.auths)).toEqual(['docker.io', 'https://index.docker.io/v1/', 'quay.io']);
    const workload = groups
      .at(-1)
      ?.render(new Map())
      .find(({ kind }) => kind === 'StatefulSet');
    expect(fieldAt(workload, 'spec', 'template', 'spec', 'imagePullSecrets')).toEqual([{ name: 'deliver-pull-suite' }]);
  });

  test('with secrets keeps the key of their checksums in the cluster', () => {
    const apps = [anApp({ secrets: { A: '${secret.a}' } })];
    const context = aReleaseContext({ secrets: someSecrets({ a: 'x' }), checksumKey: new Secret('some key') });
    const names = objectsOf(renderRelease(aRelease({ apps }), context)).map(
      ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`,
    );
    expect(names).toContain('deliver-system/deliver-checksum-key');
  });

  test('an output of another app needs a dependency on it, and a real output', () => {
    const base = anApp({ name: 'base', ports: [{ name: 'http', port: 80 }] });
    const user = (output: string, dependsOn: string[]): unknown =>
      anApp({ name: 'user', env: { X: `\${outputs.${output}}` }, dependsOn });
    const groups = renderRelease(aRelease({ apps: [user('base.clusterIP', ['base']), base] }), aReleaseContext());
    expect(groups.at(-1)?.needs).toEqual([{ name: 'base.clusterIP', from: 'base', namespace: 'project', field: 'clusterIP' }]);
    const broken = (app: unknown) => () => renderRelease(aRelease({ apps: [app, base] }), aReleaseContext());
    expect(broken(user('base.clusterIP', []))).toThrowWithCode('E_GRAPH', 'dependsOn: [base]');
    expect(broken(user('base.color', ['base']))).toThrowWithCode('E_VARIABLE');
    expect(broken(user('nothing.clusterIP', []))).toThrowWithCode('E_VARIABLE');
  });

  test('charts are refused, they are not applied yet', () => {
    const charts = [{ name: 'n9e', chart: './n9e', namespace: 'monitoring' }];
    expect(() => renderRelease(aRelease({ charts }), aReleaseContext())).toThrowWithCode('E_NOT_YET', 'n9e');
  });

  test('manifests come before apps, the pod network before all, and after an app only where they say so', () => {
    const manifests = [
      { name: 'ingress', path: 'traefik.yaml' },
      { name: 'rules', path: 'rules.yaml', dependsOn: ['gatekeeper'] },
      { name: 'network', path: 'flannel.yaml' },
    ];
    const release = aRelease({ manifests });
    const parts = [part('ingress', 'traefik'), part('rules', 'rules'), part('network', 'flannel', '/etc/cni/net.d')];
    const groups = renderRelease(release, aReleaseContext({ manifests: parts }));
    expect(groups.map(({ step, title }) => `${step}: ${title}`)).toEqual([
      'addons: namespaces of add-ons',
      'addons: network',
      'addons: ingress',
      'namespaces: namespaces',
      'externals: externals',
      'apps: project/gatekeeper',
      'apps: rules',
    ]);
  });

  test('the same object in two manifests is refused: each install would write one over the other', () => {
    const manifests = [{ path: 'a.yaml' }, { path: 'b.yaml' }];
    const context = aReleaseContext({ manifests: [part('a.yaml', 'same'), part('b.yaml', 'same')] });
    expect(() => renderRelease(aRelease({ manifests }), context)).toThrowWithCode('E_GRAPH', 'in a.yaml and in b.yaml');
  });

  const part = (title: string, name: string, hostPath = '/tmp'): ManifestPart => ({
    title,
    objects: [
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name, namespace: 'add-ons' },
        spec: { template: { spec: { volumes: [{ name: 'x', hostPath: { path: hostPath } }] } } },
      },
    ],
  });

  test('an app and an external can’t have the same Service', () => {
    const apps = [anApp({ name: 'redis-cluster' })];
    expect(() => renderRelease(aRelease({ apps }), aReleaseContext())).toThrowWithCode('E_GRAPH', 'redis-cluster');
  });
});
