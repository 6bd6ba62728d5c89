import { beforeAll, expect, test } from 'vitest';
import { renderApp } from '../../src/apps/app.ts';
import { renderExternal } from '../../src/apps/external.ts';
import { renderPullSecret } from '../../src/apps/pull-secret.ts';
import { applyObjects, planObjects, type ObjectPlan } from '../../src/cluster/apply.ts';
import { renderChecksumKey } from '../../src/cluster/checksum-key.ts';
import type { ClusterApi, KubeObject } from '../../src/cluster/port.ts';
import { refOf } from '../../src/cluster/refs.ts';
import { Secret } from '../../src/core/secret.ts';
import { ExternalSchema } from '../../src/manifest/release-schema.ts';
import { aContext, anApp, someSecrets } from '../support/apps.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';

const TIMING = { initialDelaySeconds: 1, periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 4 };
/** Everything that an app of any kind can say. */
const COMMON = {
  namespace: 'fields',
  ports: [
    { name: 'http', port: 8000 },
    { name: 'dns-udp', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ],
  command: ['sh', '-c'],
  args: ['sleep 1d'],
  env: { B: '$(A)', A: 'x', EMPTY: '' },
  files: { '/etc/app/text.yaml': './text', '/etc/app/binary.bin': './binary' },
  secrets: { DB_PASSWORD: '${secret.db}', DSN: 'redis://:${secret.db}@redis' },
  volumes: [
    { name: 'host', mount: '/host', hostPath: '/data0', readOnly: true },
    { name: 'scratch', mount: '/scratch', emptyDir: {} },
    { name: 'memory', mount: '/memory', emptyDir: { medium: 'Memory', sizeLimit: '0.5Gi' } },
    { name: 'data', mount: '/data', subPath: 'a', claim: { size: '1024Mi', storageClass: 'local-path' } },
    { name: 'shared', mount: '/shared', claim: { size: '1Gi', accessModes: ['ReadWriteMany', 'ReadOnlyMany'] } },
  ],
  spread: 'required',
  resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: '0.1', memory: '64Mi' } },
  initContainers: [
    { name: 'first', image: 'quay.io/a/init:1', mounts: { data: '/d' }, env: { A: '1' } },
    { name: 'second', image: 'quay.io/a/init:1', args: ['x'], resources: { limits: { cpu: '0.50' } } },
  ],
  sidecars: [{ name: 'side', image: 'quay.io/a/side:1', ports: [{ name: 'metrics', port: 9090 }], mounts: { scratch: '/s' } }],
  terminationGracePeriodSeconds: 0,
  labels: { team: 'a', 'example.org/x': 'y' },
  annotations: { 'example.org/note': 'n' },
} as const;
const PROBES = {
  probes: {
    readiness: { http: '/healthz', port: 'http', ...TIMING },
    liveness: { tcp: true, port: 8000 },
    startup: { exec: ['true'], ...TIMING },
  },
};
const INGRESS = {
  ingress: [
    { host: 'nip.io', port: 8000, annotations: { 'example.org/a': 'b' } },
    { host: 'web.example.org', path: '/a', pathType: 'Prefix', port: 'http', tls: 'cert' },
    { host: 'web.example.org', path: '/b', pathType: 'Exact', port: 8000, tls: 'cert' },
  ],
};

const APPS: Readonly<Record<string, object>> = {
  StatefulSet: { ...COMMON, ...PROBES, ...INGRESS, replicas: 2, service: { type: 'NodePort', nodePorts: { http: 30080 } } },
  Deployment: { ...COMMON, ...PROBES, ...INGRESS, replicas: 0, service: { type: 'LoadBalancer' } },
  DaemonSet: { ...COMMON, ...PROBES, service: { type: 'Headless' } },
  Job: { ...COMMON, service: { type: 'ClusterIP' } },
  CronJob: { ...COMMON, schedule: '0 3 * * *' },
};

function context(db = 'a password'): Parameters<typeof aContext>[0] {
  return {
    pullSecret: 'deliver-pull-suite',
    ingress: { class: 'nginx', addresses: ['10.86.67.11', 'fd00::1'] },
    files: new Map<string, string | Uint8Array>([
      ['/etc/app/text.yaml', 'a: 1\r\n\n'],
      ['/etc/app/binary.bin', new Uint8Array([0xff, 0xfe, 0, 1])],
    ]),
    secrets: someSecrets({ db }),
    checksumKey: new Secret('the checksum key'),
  };
}

function objectsOf(kind: string, more: object = {}): KubeObject[] {
  const app = anApp({ name: `all-${kind.toLowerCase()}`, kind, ...APPS[kind], ...more });
  return renderApp(app, aContext(context()));
}

/** Traces of what the second release of an app no longer has. */
const GONE = [
  ...['8000', 'dns-udp', 'DB_PASSWORD', 'EMPTY', 'deliver-pull', 'hostPath', 'emptyDir', 'app-files', 'Probe', 'second'],
  ...['quay.io/a/side', 'podAntiAffinity', 'example.org', '1000m', 'checksum', 'sleep'],
];

const notSame = (plans: readonly ObjectPlan[]): ObjectPlan[] => plans.filter(({ action }) => action !== 'same');

describeOnKube('every field of the app model', { controllers: true }, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;

  beforeAll(async () => {
    ({ kube, api } = started());
    for (const name of ['fields', 'deliver-system'])
      await applyObjects(api, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }]);
  }, 90_000);

  test.each(Object.keys(APPS))('of a %s is stored once: the second apply finds nothing to change', async (kind) => {
    const objects = objectsOf(kind);
    expect((await applyObjects(api, objects)).map(({ action }) => action)).toEqual(objects.map(() => 'create'));
    expect(notSame(await planObjects(api, objects))).toEqual([]);
    expect(notSame(await applyObjects(api, objects))).toEqual([]);
  });

  test.each(['StatefulSet', 'Deployment', 'DaemonSet', 'CronJob'])(
    'of a %s is taken away again when a release drops it',
    async (kind) => {
      const bare = {
        name: `all-${kind.toLowerCase()}`,
        kind,
        namespace: 'fields',
        ports: [{ name: 'http', port: 8001 }],
        ...(kind === 'CronJob' ? { schedule: '0 4 * * *' } : {}),
        // What a StatefulSet claims, and whether a Service is headless, never changes.
        ...(kind === 'StatefulSet' ? { volumes: COMMON.volumes.filter((volume) => 'claim' in volume) } : {}),
        ...(kind === 'DaemonSet' ? { service: { type: 'Headless' } } : { service: {} }),
      };
      const objects = renderApp(anApp(bare), aContext());
      await applyObjects(api, objects);
      expect(notSame(await planObjects(api, objects))).toEqual([]);
      for (const object of objects) {
        const { metadata, spec, data } = (await api.get(refOf(object))) ?? object;
        const text = JSON.stringify([metadata.labels, metadata.annotations, spec, data]);
        for (const gone of GONE) expect.soft(text, object.kind).not.toContain(gone);
      }
    },
  );

  test('of externals, pull secrets and the checksum key is stored once', async () => {
    const external = ExternalSchema.parse({
      name: 'redis',
      namespace: 'fields',
      ports: [
        { name: 'a', port: 6379 },
        { name: 'b', port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
      addresses: [{ ip: '10.1.1.2' }, { ip: '10.1.1.1' }, { ip: 'fd00::2' }],
    });
    const nameless = ExternalSchema.parse({
      name: 'one',
      namespace: 'fields',
      ports: [{ port: 6379 }],
      addresses: [{ ip: '10.1.1.2' }],
    });
    const objects = [
      ...renderExternal(external, 'suite'),
      ...renderExternal(nameless, 'suite'),
      renderPullSecret('fields', { username: 'u', password: 'pw' }, ['docker.io', 'a.b'], 'suite'),
      renderChecksumKey(new Secret('abcdefgh')),
    ];
    await applyObjects(api, objects);
    expect(notSame(await planObjects(api, objects))).toEqual([]);
  });

  test('a new order of init containers is planned, and applied once', async () => {
    const init = (names: string): KubeObject[] => {
      const initContainers = names.split('').map((name) => ({ name, image: 'a.b/c:1' }));
      return renderApp(anApp({ name: 'order', namespace: 'fields', initContainers }), aContext());
    };
    await applyObjects(api, init('abc'));
    const changes = (await applyObjects(api, init('cab'))).flatMap((plan) => plan.changes);
    expect(changes).toMatchObject([{ path: 'spec.template.spec.initContainers (order)', before: 'a, b, c', after: 'c, a, b' }]);
    expect(notSame(await planObjects(api, init('cab')))).toEqual([]);
  });

  test('a Service is not said to change into or out of a headless one, which Kubernetes never does', async () => {
    const service = (name: string, type: string): KubeObject[] =>
      renderApp(anApp({ name, namespace: 'fields', ports: [{ name: 'http', port: 80 }], service: { type } }), aContext());
    await applyObjects(api, [...service('headless', 'Headless'), ...service('addressed', 'ClusterIP')]);
    await expect(planObjects(api, service('headless', 'ClusterIP'))).rejects.toThrowWithCode('E_APPLY', 'would stay so');
    await expect(planObjects(api, service('addressed', 'Headless'))).rejects.toThrowWithCode(
      'E_APPLY',
      'kubectl delete service -n fields addressed',
    );
  });

  test('an object of another release is not overwritten, in plan as in apply', async () => {
    const external = ExternalSchema.parse({
      name: 'shared',
      namespace: 'fields',
      ports: [{ port: 1 }],
      addresses: [{ ip: '10.1.1.2' }],
    });
    await applyObjects(api, renderExternal(external, 'first'));
    const second = renderExternal(external, 'second');
    for (const work of [planObjects, applyObjects])
      await expect(work(api, second)).rejects.toThrowWithCode('E_CONFLICT', 'Service fields/shared belongs to release first');
  });

  test('what a controller writes between look and dry run is no change of the release', async () => {
    const objects = renderApp(anApp({ name: 'race', namespace: 'fields', replicas: 0 }), aContext());
    await applyObjects(api, objects);
    let writes = 2;
    const racing: ClusterApi = {
      ...boundTo(api),
      get: async (ref, signal) => {
        const live = await api.get(ref, signal);
        if (ref.kind === 'Deployment' && writes-- > 0)
          await kube.kubectl(['annotate', 'deployment', '-n', 'fields', 'race', '--overwrite', `note=${String(writes)}`]);
        return live;
      },
    };
    expect(notSame(await planObjects(racing, objects))).toEqual([]);
    expect(writes).toBeLessThan(0);
  });
});

function boundTo(api: ClusterApi): ClusterApi {
  return {
    version: (signal) => api.version(signal),
    get: (ref, signal) => api.get(ref, signal),
    list: (type, options, signal) => api.list(type, options, signal),
    apply: (object, options) => api.apply(object, options),
    delete: (ref, options) => api.delete(ref, options),
    close: () => api.close(),
  };
}
