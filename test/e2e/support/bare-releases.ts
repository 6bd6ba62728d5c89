import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { BareSetting } from './bare.ts';
import { onConnectedSide, REPOSITORY } from './deliver.ts';
import type { PackedRelease } from './releases.ts';

/** The two versions that the lab's connected side has, with the etcd that belongs to each. */
const ETCD = { 'v1.33.13': 'v3.5.24', 'v1.34.4': 'v3.6.5' } as const;

/** Where the gatekeeper keeps what it writes. */
const DATA = '/home/user/data1';

/** The one that the lab’s base system brings. */
const HAPROXY = '2.6.12';

const Fields = z.record(z.string(), z.unknown());
/** What makes a Harbor of a bare host, in the versions that the lab's connected side has (test/lab/harbor-installer.sh). */
export const HARBOR = { harbor: 'v2.14.0', docker: '20.10.24', 'docker-compose': 'v2.39.2' } as const;

const Sources = z.looseObject({ registries: Fields, base: Fields.optional() });
const Bare = z.looseObject({
  kubernetes: z.looseObject({ components: Fields }),
  sources: Sources,
  manifests: z.array(z.unknown()),
});
const App = z.looseObject({ name: z.string(), replicas: z.number() });
const Suite = z.looseObject({ sources: Sources, versions: Fields, externals: z.array(z.unknown()), apps: z.array(App) });
const KubeKey = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()) }),
  spec: Fields,
});

async function manifest(name: string): Promise<unknown> {
  return parse(await readFile(path.join(REPOSITORY, 'manifests', name), 'utf8'));
}

/** The apps of the sample suite with what they need, the gatekeeper with a planted secret, as fields of any release. @param movable as a Deployment */
async function suiteFields(replicas: number, movable = false): Promise<Record<string, unknown>> {
  const { versions, externals, apps } = Suite.parse(await manifest('gatekeeper-suite.yaml'));
  const grown = apps.map((app) => {
    if (app.name !== 'gatekeeper') return app;
    const { volumes, ...others } = app;
    const kind = movable ? { kind: 'Deployment', volumes: [{ name: 'vol-data', mount: DATA, emptyDir: {} }] } : { volumes };
    return { ...others, ...kind, replicas, secrets: { APP_TOKEN: '${secret.app-token}' } };
  });
  return { versions, externals, apps: grown };
}

export interface BareRelease {
  readonly kubernetes: keyof typeof ETCD;
  /** Of the release, that of Kubernetes when absent. */
  readonly version?: string;
  /** Of the gatekeeper, 1 when absent. */
  readonly replicas?: number;
  /** What the site's registry is made of, distribution when absent. */
  readonly registryKind?: 'distribution' | 'harbor';
  /** The gatekeeper as a Deployment: a volume on a node's own disk keeps a pod where it is. */
  readonly movable?: boolean;
  /** With the load balancer for several control planes. */
  readonly haproxy?: boolean;
}

/** Packs the sample for bare hosts together with the apps of the sample suite, with this Kubernetes. */
export async function packBare(
  setting: BareSetting,
  {
    kubernetes,
    version = kubernetes.slice(1),
    replicas = 1,
    registryKind = 'distribution',
    haproxy = false,
    movable = false,
  }: BareRelease,
): Promise<PackedRelease> {
  const bare = Bare.parse(await manifest('bare-site.yaml'));
  const suite = Suite.parse(await manifest('gatekeeper-suite.yaml'));
  const { registry, ...others } = bare.kubernetes.components;
  const ofRegistry = registryKind === 'harbor' ? HARBOR : { registry };
  const download = `http://${setting.lab.components ?? ''}/download.docker.com`;
  const release = {
    ...bare,
    metadata: { name: 'bare-site', version },
    kubernetes: {
      version: kubernetes,
      components: { ...others, ...ofRegistry, etcd: ETCD[kubernetes], ...(haproxy ? { haproxy: HAPROXY } : {}) },
    },
    sources: {
      ...bare.sources,
      registries: { ...suite.sources.registries, ...bare.sources.registries },
      base: { ...bare.sources.base, 'https://download.docker.com': download },
    },
    ...(await suiteFields(replicas, movable)),
  };
  const folder = await manifestFolder(setting, `release-${version}`);
  const file = path.join(folder, 'release.yaml');
  await writeFile(file, stringify(release));
  return pack(setting, file, `bare-site-${version}`);
}

/** Packs one app with nothing below it, in a namespace of its own: what comes after a site was made. */
export async function packAppAlone(setting: BareSetting, name: string): Promise<PackedRelease> {
  const { sources, apps } = Suite.parse(await manifest('gatekeeper-suite.yaml'));
  const [app] = apps.filter((one) => one.name === 'notice');
  const folder = await manifestFolder(setting, name);
  const file = path.join(folder, 'release.yaml');
  const head = { apiVersion: 'deliver/v1', kind: 'Release', metadata: { name, version: '1' }, platforms: ['linux/amd64'] };
  await writeFile(file, stringify({ ...head, sources, apps: [{ ...app, namespace: name }] }));
  return pack(setting, file, `${name}-1`);
}

/** KubeKey's two sample files, with the lab's addresses, planted passwords, and the suite's apps in their annotations. */
export async function packKubeKey(setting: BareSetting): Promise<PackedRelease & { readonly site: string }> {
  const { lab, key, planted } = setting;
  const folder = await manifestFolder(setting, 'kubekey');
  const release = KubeKey.parse(await manifest('kubekey-manifest.yaml'));
  const more = Bare.pick({ manifests: true }).parse(parse(release.metadata.annotations['deliver/release'] ?? ''));
  release.metadata.annotations['deliver/release'] = stringify({
    ...more,
    manifests: [...more.manifests, { path: './addons/coredns-nip-io.yaml' }],
    ...(await suiteFields(1)),
  });
  const file = path.join(folder, 'manifest-sample.yaml');
  await writeFile(file, stringify(release));

  const cluster = KubeKey.parse(await manifest('kubekey-cluster.yaml'));
  cluster.metadata.annotations['deliver/site'] = stringify({
    knownHosts: lab.ssh.knownHosts,
    trust: [key.publicKey],
    storageClass: 'local-path',
    ingress: { class: 'traefik', addresses: lab.ingress.addresses, domain: 'nip.io' },
    externals: { redis: [{ ip: lab.redis.address }] },
  });
  const registry = Fields.parse(cluster.spec['registry']);
  cluster.spec['registry'] = { ...registry, auths: { [lab.harbor.host]: { username: 'admin', password: planted.registry } } };
  cluster.spec['hosts'] = z
    .array(z.looseObject({ name: z.string() }))
    .parse(cluster.spec['hosts'])
    .map((host) => (host.name === 'w1' ? withPassword(host, planted.sudo) : { ...host, privateKeyPath: lab.ssh.key }));
  const site = path.join(folder, 'config-sample.yaml');
  await writeFile(site, stringify(cluster));
  return { ...(await pack(setting, file, 'kubekey-sample-1.33.13')), site };
}

function withPassword({ privateKeyPath: _key, ...host }: Record<string, unknown>, password: string): Record<string, unknown> {
  return { ...host, user: 'opspw', password };
}

async function manifestFolder({ folder }: BareSetting, name: string): Promise<string> {
  const to = path.join(folder, name);
  await cp(path.join(REPOSITORY, 'manifests'), to, { recursive: true });
  return to;
}

async function pack({ folder, key }: BareSetting, file: string, name: string): Promise<PackedRelease> {
  const outcome = await onConnectedSide(['pack', file, '--output', folder, '--sign-key', key.file]);
  if (outcome.code !== 0) throw new Error(outcome.text);
  return { manifest: file, bundle: path.join(folder, `${name}.tar`) };
}
