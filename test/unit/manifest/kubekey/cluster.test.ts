import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isDeliverError } from '../../../../src/core/errors.ts';
import { KubeKeyClusterSchema } from '../../../../src/manifest/kubekey/cluster-schema.ts';
import { loadSite } from '../../../../src/manifest/load-site.ts';
import { secretsOf } from '../../../../src/manifest/secrets.ts';
import { cluster, load, SPEC, type Fields } from '../../../support/kubekey.ts';

const SAMPLE = 'test/fixtures/kubekey/config-sample.yaml';

describe('the Cluster of the article', () => {
  it('is refused with every host that does not exist, and which one was meant', async () => {
    const error: unknown = await loadSite(SAMPLE).catch((thrown: unknown) => thrown);
    if (!isDeliverError(error)) throw error;
    const names = ['etcd[0]', 'etcd[1]', 'etcd[2]', 'control-plane[0]', 'control-plane[1]', 'control-plane[2]'];
    const hosts = ['01', '02', '03', '01', '02', '03', '05', '04'];
    expect(error.facts.details).toEqual(
      [...names, 'worker[0]', 'registry[0]'].map((name, at) => {
        const host = `kubesphere${hosts[at] ?? ''}`;
        const line = [14, 15, 16, 18, 19, 20, 22, 24][at] ?? 0;
        return `${SAMPLE}:${String(line)}:7  spec.roleGroups.${name}: there is no host “${host}.py”. Did you mean “${host}.ys”?`;
      }),
    );
    expect(JSON.stringify(error.facts)).not.toContain('Kubesphere123');
  });

  it('is a site once the names are right', async () => {
    const { site, kubernetesVersion } = await load((await readFile(SAMPLE, 'utf8')).replaceAll('.py', '.ys'));
    expect(site.hosts?.map(({ name, sudo }) => [name, sudo])).toEqual(
      ['01', '02', '03', '04', '05'].map((number) => [`kubesphere${number}.ys`, true]),
    );
    expect(site).toMatchObject({
      roles: { 'control-plane': ['kubesphere01.ys', 'kubesphere02.ys', 'kubesphere03.ys'], registry: ['kubesphere04.ys'] },
      controlPlaneEndpoint: { domain: 'lb.kubesphere.local', port: 6443, loadBalancer: 'haproxy' },
      registry: { host: 'dockerhub.kubekey.local', address: '10.86.3.67', username: 'admin', install: { kind: 'harbor' } },
      network: { plugin: 'calico', pods: '10.233.64.0/18', services: '10.233.0.0/18' },
      ingress: { addresses: ['10.86.3.11'], domain: 'nip.io' },
    });
    expect(kubernetesVersion).toBe('v1.21.5');
  });

  it('has its passwords as secrets only', async () => {
    const loaded = await load((await readFile(SAMPLE, 'utf8')).replaceAll('.py', '.ys'));
    expect(JSON.stringify([loaded.site, loaded.notes])).not.toContain('Kubesphere123');
    expect(loaded.site.hosts?.[0]?.password).toBe('${secret.ssh-kubesphere01.ys}');
    const secrets = await secretsOf(loaded.site, loaded.folder, {}, loaded.inlineSecrets);
    expect(secrets.get('ssh-kubesphere01.ys').reveal()).toBe('Kubesphere123');
    expect(secrets.get('registry').reveal()).toBe('Kubesphere123');
    const other = await secretsOf(loaded.site, loaded.folder, { DELIVER_SECRET_REGISTRY: 'from outside' }, loaded.inlineSecrets);
    expect(other.get('registry').reveal()).toBe('from outside');
  });
});

it('takes the Cluster in manifests/', async () => {
  const { site } = await loadSite('manifests/kubekey-cluster.yaml');
  expect(site.registry?.install).toEqual({ kind: 'distribution' });
  expect(site.storageClass).toBe('local-path');
});

describe('role groups', () => {
  it('take ranges, and master for control-plane', async () => {
    const hosts = ['cp1', 'node01', 'node02', 'node03', 'n9.x', 'n10.x'].map((name) => ({ name, address: '10.0.0.1' }));
    const roleGroups = { master: ['cp1'], 'control-plane': ['cp1'], worker: ['node[01:03]', 'n[9:10].x', 'node02'] };
    const { site } = await cluster({ hosts, roleGroups, registry: {} });
    expect(site.roles).toEqual({ 'control-plane': ['cp1'], worker: ['node01', 'node02', 'node03', 'n9.x', 'n10.x'] });
  });

  it.each([
    ['a range with a host that is not there', { worker: ['w[1:3]'] }, 'there is no host “w3” (of w[1:3]). Did you mean “w1”?'],
    ['a range that goes down', { worker: ['w[2:1]'] }, 'the range must go up'],
    ['a range without end', { worker: ['w[1:99999]'] }, 'at most 1000 hosts'],
    ['no control plane', { 'control-plane': [] }, 'needs a control-plane (or master)'],
    ['a group that is none', { 'contol-plane': ['cp1'] }, 'unknown key. Did you mean “control-plane”?'],
  ])('are refused for %s', async (_, groups, text) => {
    await expect(cluster({ roleGroups: { ...SPEC.roleGroups, ...groups } })).rejects.toThrowWithCode('E_SCHEMA', text);
  });

  it('make an etcd apart of other hosts only', async () => {
    const groups = (etcd: string[]): Fields => ({ roleGroups: { ...SPEC.roleGroups, etcd } });
    expect((await cluster(groups(['cp1']))).site.roles?.etcd).toBeUndefined();
    expect((await cluster(groups(['w2']))).site.roles?.etcd).toEqual(['w2']);
    const kubeadm = cluster({ ...groups(['w2']), etcd: { type: 'kubeadm' } });
    await expect(kubeadm).rejects.toThrowWithCode('E_SCHEMA', 'etcd.type: kubeadm runs etcd on the control planes');
  });
});

it.each([
  [
    'haproxy with an address',
    { controlPlaneEndpoint: { internalLoadbalancer: 'haproxy', address: '10.0.0.9' } },
    'must be empty',
  ],
  ['kube-vip without an address', { controlPlaneEndpoint: { internalLoadbalancer: 'kube-vip' } }, 'needs the virtual address'],
  ['a port as text', { controlPlaneEndpoint: { port: '6443' } }, 'controlPlaneEndpoint.port: must be a number'],
  ['a registry without a host for it', { roleGroups: { master: ['cp1'] } }, 'roleGroups.registry names no host'],
  ['a key in the file', { hosts: [{ name: 'cp1', address: '10.0.0.1', privateKey: 'x' }] }, 'name it as privateKeyPath'],
  ['an unknown field', { network: { pluggin: 'calico' } }, 'spec.network.pluggin: unknown key. Did you mean “plugin”?'],
  [
    'a host that no node can be named',
    { hosts: [{ name: 'CP_1', address: 'a' }], roleGroups: { master: ['CP_1'] }, registry: {} },
    'spec.hosts[0].name',
  ],
])('is refused for %s', async (_, spec, text) => {
  await expect(cluster(spec)).rejects.toThrowWithCode('E_SCHEMA', text);
});

it.each([
  ['addons', { addons: [{ name: 'nfs' }] }],
  ['system.ntpServers', { system: { ntpServers: ['10.0.0.1'] } }],
  ['network.multusCNI', { network: { multusCNI: { enabled: true } } }],
  ['kubernetes.type', { kubernetes: { type: 'k3s' } }],
  ['kubernetes.containerManager', { kubernetes: { containerManager: 'crio' } }],
  ['etcd.type', { etcd: { type: 'external' } }],
])('refuses %s by name', async (name, spec) => {
  await expect(cluster(spec)).rejects.toThrowWithCode('E_NOT_YET', `spec.${name}: is not supported`);
});

it('says more in an annotation than KubeKey can', async () => {
  const text = 'knownHosts: ./hosts\nregistry: { storage: /srv/harbor }\ningress: { addresses: [10.9.9.9] }\n';
  const { site, notes } = await cluster({}, { annotations: { 'deliver/site': text, 'example.org/owner': 'me' } });
  expect(site).toMatchObject({
    knownHosts: './hosts',
    registry: { host: 'dockerhub.kubekey.local', storage: '/srv/harbor' },
    ingress: { addresses: ['10.9.9.9'] },
  });
  expect(notes?.join('\n')).not.toContain('ingress');
  const wrong = cluster({}, { annotations: { 'deliver/site': 'knownHost: ./hosts\n', 'deliver/sites': 'a' } });
  await expect(wrong).rejects.toThrowWithCode('E_SCHEMA', 'Did you mean “deliver/site”?');
  const key = cluster({}, { annotations: { 'deliver/site': 'knownHost: ./hosts\n' } });
  await expect(key).rejects.toThrowWithCode('E_SCHEMA', 'knownHost: unknown key. Did you mean “knownHosts”?');
});

it('does not quote a password when the YAML is broken', async () => {
  const text = (await readFile(SAMPLE, 'utf8')).replace('"Kubesphere123"', '"Kubesphere123" hunter22');
  const error: unknown = await load(text).catch((thrown: unknown) => thrown);
  expect(error).toSatisfy((thrown) => isDeliverError(thrown, 'E_YAML'));
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/Kubesphere123|hunter22/);
});

/** Values of fields where those that fit the type alone would not do; by path, `0` for the first item of a list. */
const SAMPLES: Fields = {
  'hosts.0.name': 'cp2',
  'hosts.0.arch': 'arm64',
  'hosts.0.labels': { a: 'b' },
  'roleGroups.etcd': ['w2'],
  'roleGroups.control-plane': ['cp1', 'w2'],
  'roleGroups.master': ['w2'],
  'roleGroups.worker': ['w2'],
  'roleGroups.registry': ['w2'],
  'controlPlaneEndpoint.internalLoadbalancer': 'haproxy',
  'controlPlaneEndpoint.kubevip.mode': 'BGP',
  'etcd.type': 'external',
  'kubernetes.version': 'v1.30.0',
  'kubernetes.nodeCidrMaskSize': 25,
  'kubernetes.proxyMode': 'ipvs',
  'kubernetes.containerManager': 'docker',
  'kubernetes.kubeletArgs': ['v=4'],
  'kubernetes.featureGates': { A: true },
  'kubernetes.kubeletConfiguration': { a: 1 },
  'kubernetes.kubeProxyConfiguration': { a: 1 },
  'network.kubeovn': { enableSSL: true },
  'network.hybridnet': { a: 1 },
  'registry.type': 'docker-registry',
  'registry.auths': { 'other.example': { username: 'a', password: 'b' } },
};

const FIELDS = leaves(KubeKeyClusterSchema.shape.spec);

describe('no field of a Cluster is passed over in silence', () => {
  it.each(FIELDS)('$path', async ({ path, sample }) => {
    const spec = set(structuredClone(SPEC), path.split('.'), SAMPLES[path] ?? sample);
    const whole = { apiVersion: 'v', kind: 'Cluster', metadata: { name: 'sample' }, spec };
    expect(KubeKeyClusterSchema.safeParse(whole).error).toBeUndefined();
    expect(await outcome(spec)).not.toEqual(await outcome({}));
  });

  it('counts them all', () => {
    expect(FIELDS.length).toBeGreaterThan(120);
  });
});

/** What can be seen of a Cluster: the site, the notes, or why it is refused. */
async function outcome(spec: Fields): Promise<unknown> {
  try {
    const { site, notes, kubernetesVersion, inlineSecrets } = await cluster(spec);
    return { site, notes: notes?.map((note) => note.replace(/^\S+/, '')), kubernetesVersion, secrets: inlineSecrets?.size };
  } catch (error) {
    if (!isDeliverError(error)) throw error;
    return error.facts.details?.map((line) => line.replace(/^\S+/, ''));
  }
}

function set(value: Record<string, unknown>, [step = '', ...rest]: readonly string[], to: unknown): Fields {
  if (step === '0') throw new Error('lists are walked by their parent');
  if (rest.length === 0) return { ...value, [step]: to };
  if (rest[0] === '0') {
    const list = Array.isArray(value[step]) ? (value[step] as Record<string, unknown>[]) : [{}];
    return { ...value, [step]: list.map((item, at) => (at === 0 ? set(item, rest.slice(1), to) : item)) };
  }
  const inner = value[step];
  return {
    ...value,
    [step]: set(typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}, rest, to),
  };
}

interface Leaf {
  readonly path: string;
  /** A value that fits its type. */
  readonly sample: unknown;
}

/** Everything that has a value of its own. */
function leaves(schema: z.core.$ZodType, path: string[] = []): Leaf[] {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.core.$ZodType>).flatMap(([key, child]) =>
      leaves(child, [...path, key]),
    );
  }
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodObject) return leaves(inner.element, [...path, '0']);
  return [{ path: path.join('.'), sample: sampleOf(inner) }];
}

function sampleOf(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodBoolean) return true;
  if (schema instanceof z.ZodNumber) return 7000;
  return schema instanceof z.ZodArray ? ['10.1.1.1'] : '10.1.1.1';
}
