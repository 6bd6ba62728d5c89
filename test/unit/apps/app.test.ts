import { describe, expect, test } from 'vitest';
import { renderApp } from '../../../src/apps/app.ts';
import type { AppContext } from '../../../src/apps/context.ts';
import { fieldAt, listAt, textAt } from '../../../src/cluster/fields.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { App } from '../../../src/manifest/app-schema.ts';
import { aContext, anApp, someSecrets } from '../../support/apps.ts';

function rendered(app: App, kind: string, context: AppContext = aContext()): KubeObject {
  const object = renderApp(app, context).find((candidate) => candidate.kind === kind);
  if (object === undefined) throw new Error(`no ${kind} was rendered`);
  return object;
}

const podSpec = (object: KubeObject): unknown => fieldAt(object, 'spec', 'template', 'spec');
const main = (object: KubeObject): unknown => fieldAt(podSpec(object), 'containers', 0);

describe('workloads', () => {
  test('an app without ports gets no Service, and one with ports a ClusterIP Service', () => {
    expect(renderApp(anApp(), aContext()).map(({ kind }) => kind)).toEqual(['Deployment']);
    expect(rendered(anApp({ ports: [{ name: 'http', port: 80 }] }), 'Service').spec).toEqual({
      type: 'ClusterIP',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 80 }],
      selector: { app: 'web' },
    });
  });

  test('a headless Service has no address, a NodePort keeps the port it was given', () => {
    const ports = [{ name: 'http', port: 80 }];
    expect(rendered(anApp({ ports, service: { type: 'Headless' } }), 'Service').spec).toMatchObject({
      type: 'ClusterIP',
      clusterIP: 'None',
    });
    const fixed = rendered(anApp({ ports, service: { type: 'NodePort', nodePorts: { http: 30080 } } }), 'Service');
    expect(listAt(fixed, 'spec', 'ports')).toMatchObject([{ nodePort: 30080 }]);
  });

  test('required spread keeps a rollout possible when there are as many replicas as hosts', () => {
    const spec = rendered(anApp({ spread: 'required', replicas: 2 }), 'Deployment').spec;
    expect(spec).toMatchObject({
      strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      template: {
        spec: {
          affinity: {
            podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }] },
          },
        },
      },
    });
  });

  test('a CronJob keeps its schedule, and a Job ends although it has a sidecar', () => {
    expect(rendered(anApp({ kind: 'CronJob', schedule: '0 3 * * *' }), 'CronJob').spec).toMatchObject({
      schedule: '0 3 * * *',
      jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never' } } } },
    });
    const job = rendered(anApp({ kind: 'Job', sidecars: [{ name: 'proxy', image: 'quay.io/a/proxy:1' }] }), 'Job');
    expect(listAt(podSpec(job), 'containers')).toHaveLength(1);
    expect(listAt(podSpec(job), 'initContainers')).toMatchObject([{ name: 'proxy', restartPolicy: 'Always' }]);
  });

  test('a claim is a template of a StatefulSet, and an object of its own for any other kind', () => {
    const volumes = [{ name: 'data', mount: '/data', claim: { size: '1Gi', storageClass: 'local-path' } }];
    expect(renderApp(anApp({ kind: 'StatefulSet', volumes }), aContext()).map(({ kind }) => kind)).toEqual(['StatefulSet']);
    const objects = renderApp(anApp({ volumes }), aContext());
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
      'PersistentVolumeClaim/web-data',
      'Deployment/web',
    ]);
    expect(listAt(podSpec(rendered(anApp({ volumes }), 'Deployment')), 'volumes')).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'web-data' } },
    ]);
  });

  test('hostPath and emptyDir are mounted where the release says, also in an init container', () => {
    const volumes = [
      { name: 'host', mount: '/data0', hostPath: '/srv', readOnly: true },
      { name: 'scratch', mount: '/tmp/x', emptyDir: { sizeLimit: '1Gi' } },
    ];
    const object = rendered(
      anApp({ volumes, initContainers: [{ name: 'init', image: 'busybox:1.36', mounts: { scratch: '/x' } }] }),
      'Deployment',
    );
    expect(listAt(podSpec(object), 'volumes')).toEqual([
      { name: 'host', hostPath: { path: '/srv' } },
      { name: 'scratch', emptyDir: { sizeLimit: '1Gi' } },
    ]);
    expect(listAt(main(object), 'volumeMounts')).toEqual([
      { name: 'host', mountPath: '/data0', readOnly: true },
      { name: 'scratch', mountPath: '/tmp/x' },
    ]);
    expect(listAt(podSpec(object), 'initContainers')).toMatchObject([
      { image: 'busybox:1.36', volumeMounts: [{ name: 'scratch', mountPath: '/x' }] },
    ]);
  });

  test('a probe without a port asks the first one', () => {
    const app = anApp({
      ports: [{ name: 'http', port: 80 }],
      probes: { readiness: { http: '/healthz', periodSeconds: 3 }, liveness: { tcp: true }, startup: { exec: ['true'] } },
    });
    expect(main(rendered(app, 'Deployment'))).toMatchObject({
      readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 3 },
      livenessProbe: { tcpSocket: { port: 'http' } },
      startupProbe: { exec: { command: ['true'] } },
    });
  });

  test('the pull secret is named only when there is one', () => {
    expect(fieldAt(podSpec(rendered(anApp(), 'Deployment')), 'imagePullSecrets')).toBeUndefined();
    const object = rendered(anApp(), 'Deployment', aContext({ pullSecret: 'deliver-pull-suite' }));
    expect(fieldAt(podSpec(object), 'imagePullSecrets')).toEqual([{ name: 'deliver-pull-suite' }]);
  });

  test('labels of the release never replace the one that the selector needs', () => {
    const object = rendered(anApp({ labels: { app: 'other', tier: 'front' } }), 'Deployment');
    expect(fieldAt(object, 'spec', 'template', 'metadata', 'labels')).toEqual({ app: 'web', tier: 'front' });
  });

  test.each([
    [{ kind: 'Rollout' }, 'E_NOT_YET'],
    [{ hooks: { afterReady: [] } }, 'E_NOT_YET'],
    [{ kind: 'DaemonSet', replicas: 2 }, 'E_SCHEMA'],
    [{ kind: 'CronJob' }, 'E_SCHEMA'],
    [{ service: { type: 'NodePort' } }, 'E_SCHEMA'],
    [{ sidecars: [{ name: 'web', image: 'x/y:1' }] }, 'E_SCHEMA'],
    [{ initContainers: [{ name: 'init', image: 'x/y:1', mounts: { nothing: '/x' } }] }, 'E_SCHEMA'],
    [{ probes: { readiness: { http: '/' } } }, 'E_SCHEMA'],
  ] as const)('%j is refused before anything is applied', (more, code) => {
    expect(() => renderApp(anApp(more), aContext())).toThrowWithCode(code);
  });
});

describe('environment', () => {
  test('has an order that does not depend on the release’s, with what others use first', () => {
    const env = { URL: 'http://$(NAME):$(PORT)', PORT: '80', NAME: 'x', A: '$(A) stays' };
    const names = listAt(main(rendered(anApp({ env }), 'Deployment')), 'env').map((variable) => textAt(variable, 'name'));
    expect(names).toEqual(['A', 'NAME', 'PORT', 'URL']);
    const reversed = Object.fromEntries(Object.entries(env).reverse());
    expect(rendered(anApp({ env: reversed }), 'Deployment')).toEqual(rendered(anApp({ env }), 'Deployment'));
  });

  test('outputs of other apps are filled in', () => {
    const app = anApp({ env: { BASE: 'http://${outputs.base-server.clusterIP}/' }, args: ['--price=$${5}'] });
    const object = rendered(app, 'Deployment', aContext({ outputs: new Map([['base-server.clusterIP', '10.96.0.7']]) }));
    expect(main(object)).toMatchObject({ env: [{ name: 'BASE', value: 'http://10.96.0.7/' }], args: ['--price=${5}'] });
    expect(() => renderApp(app, aContext())).toThrowWithCode('E_VARIABLE', 'base-server.clusterIP');
  });
});

describe('secrets', () => {
  const app = anApp({ env: { URL: 'x://u:$(PASSWORD)@db' }, secrets: { PASSWORD: '${secret.db-password}' } });
  const context = (password: string, key = 'k'): AppContext =>
    aContext({ secrets: someSecrets({ 'db-password': password }), checksumKey: new Secret(key) });

  test('reach the pod through a Secret, before the variables that use them', () => {
    const objects = renderApp(app, context('hunter2hunter2'));
    expect(objects[0]).toMatchObject({
      kind: 'Secret',
      metadata: { name: 'web-secrets' },
      data: { PASSWORD: Buffer.from('hunter2hunter2').toString('base64') },
    });
    expect(listAt(main(objects.at(-1) ?? fail()), 'env')).toEqual([
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'web-secrets', key: 'PASSWORD' } } },
      { name: 'URL', value: 'x://u:$(PASSWORD)@db' },
    ]);
  });

  test('appear nowhere but in the Secret', () => {
    const others = renderApp(app, context('hunter2hunter2')).filter(({ kind }) => kind !== 'Secret');
    expect(JSON.stringify(others)).not.toContain('hunter2');
  });

  test('roll the pods when they change, by a checksum that nobody can guess without the key', () => {
    const checksum = (password: string, key?: string): unknown =>
      fieldAt(
        rendered(app, 'Deployment', context(password, key)),
        'spec',
        'template',
        'metadata',
        'annotations',
        'deliver/secrets-checksum',
      );
    expect(checksum('one-password')).toBe(checksum('one-password'));
    expect(checksum('one-password')).not.toBe(checksum('two-password'));
    expect(checksum('one-password')).not.toBe(checksum('one-password', 'other key'));
  });

  test('are refused where everyone could read them', () => {
    const leaking = anApp({ env: { PASSWORD: '${secret.db-password}' } });
    expect(() => renderApp(leaking, context('hunter2hunter2'))).toThrowWithCode('E_SCHEMA', 'secrets:');
  });

  test('that are missing are named', () => {
    expect(() => renderApp(app, aContext({ checksumKey: new Secret('k') }))).toThrowWithCode('E_SECRET_MISSING', 'db-password');
  });
});

function fail(): never {
  throw new Error('nothing was rendered');
}
