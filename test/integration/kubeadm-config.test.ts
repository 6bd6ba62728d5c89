import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { SiteSchema, type Site } from '../../src/manifest/site-schema.ts';
import { initDocuments, joinDocument, kubeletPatch, upgradeDocument, uploadDocument } from '../../src/site/kubeadm/config.ts';
import { kubernetesSettings, type KubernetesSettings } from '../../src/site/kubeadm/settings.ts';

const VERSIONS = ['v1.33.13', 'v1.34.4'];
const kubeadmOf = (version: string): string =>
  join(process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache/deliver-lab'), 'bin', `kubernetes-${version}`, 'kubeadm');
const there = await Promise.all(
  VERSIONS.map((version) =>
    access(kubeadmOf(version)).then(
      () => true,
      () => false,
    ),
  ),
);
const built = VERSIONS.filter((_, index) => there[index]);

const TOKEN = { token: 'abcdef.0123456789abcdef', ttl: '60m0s' };
const LIMITS = { fixedConntrack: true };
const DISCOVERY = { token: TOKEN.token, server: '10.0.0.1:6443', caHash: `sha256:${'0'.repeat(64)}` };
const FULL: Partial<Site> = {
  controlPlaneEndpoint: { domain: 'lb.site.local', port: 6443, loadBalancer: 'haproxy' },
  network: { plugin: 'flannel', pods: '10.233.64.0/18', services: '10.233.0.0/18' },
  kubernetes: {
    clusterName: 'plant',
    dnsDomain: 'plant.local',
    apiServerCertSANs: ['api.plant.example', '10.9.9.9'],
    proxyMode: 'nftables',
    maxPods: 200,
    nodeCidrMaskSize: 25,
    featureGates: { NodeSwap: false },
    kubeletExtraArgs: { v: '2' },
    certificateValidity: '4380h',
  },
};
const EXTERNAL: Partial<Site> = { roles: { 'control-plane': ['cp1', 'cp2'], worker: ['w1'], etcd: ['etcd1'] } };

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-kubeadm-'));
});
afterAll(() => rm(folder, { recursive: true }));

function settingsOf(version: string, more: Partial<Site> = {}): KubernetesSettings {
  const hosts = ['cp1', 'cp2', 'w1', 'etcd1'].map((name, index) => ({ name, address: `10.0.0.${String(index + 1)}` }));
  const roles = { 'control-plane': ['cp1', 'cp2'], worker: ['w1'] };
  return kubernetesSettings(
    SiteSchema.parse({ apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'plant' }, hosts, roles, ...more }),
    version,
  );
}

async function validate(version: string, text: string): Promise<string> {
  const file = join(folder, 'config.yaml');
  await writeFile(file, text, { mode: 0o600 });
  const { stdout, stderr } = await run(kubeadmOf(version), ['config', 'validate', '--config', file]);
  return `${stdout}${stderr}`;
}

function every(version: string, more: Partial<Site>): string[] {
  const settings = settingsOf(version, more);
  const [first, second] = settings.controlPlanes;
  const [worker] = settings.workers;
  if (first === undefined || second === undefined || worker === undefined) throw new Error('too few hosts');
  const key = 'f'.repeat(64);
  return [
    initDocuments(settings, first, { token: TOKEN, limits: LIMITS, ignore: ['Port-6443'] }),
    uploadDocument(settings, first, key),
    joinDocument(settings, second, DISCOVERY, key),
    joinDocument(settings, worker, DISCOVERY),
  ];
}

describe.skipIf(built.length === 0).each(built)('kubeadm %s', (version) => {
  it.each([
    ['a site that says nothing', {}],
    ['a site that says everything', FULL],
    ['an etcd of its own', EXTERNAL],
  ])('takes every configuration for %s, without a word about unknown fields', async (_name, more) => {
    for (const text of [...every(version, more), upgradeDocument(version) ?? '']) {
      const said = await validate(version, text);
      expect(said).toContain('ok');
      expect(said).not.toMatch(/unknown|deprecated|strict|warning/i);
    }
  });

  it('still understands what is written for versions before 1.31', async () => {
    for (const text of every('v1.30.14', FULL)) {
      expect(text).toContain('kubeadm.k8s.io/v1beta3');
      // It says that the version is old, and nothing of fields that it does not know.
      // No kubeadm of today makes a 1.30: the version is theirs, the shape is the old one.
      const said = await validate(version, text.replace('kubernetesVersion: v1.30.14', `kubernetesVersion: ${version}`));
      expect(said).toContain('ok');
      expect(said).not.toMatch(/unknown field|strict decoding/i);
    }
  });
});

describe('what is written for kubeadm', () => {
  const settings = settingsOf('v1.34.4', FULL);
  const [first] = settings.controlPlanes;
  if (first === undefined) throw new Error('no control plane');

  it('always names the version and the endpoint, and never another image repository', () => {
    const text = initDocuments(settings, first, { token: TOKEN, limits: LIMITS });
    const cluster = parseAllDocuments(text)
      .map((document) => document.toString())
      .find((document) => document.includes('kind: ClusterConfiguration'));
    expect(cluster).toContain('kubernetesVersion: v1.34.4\n');
    expect(cluster).toContain('controlPlaneEndpoint: lb.site.local:6443\n');
    expect(text).not.toContain('imageRepository');
  });

  it('asks kube-proxy to leave the kernel’s table of connections alone only where a host can’t have it changed', () => {
    expect(initDocuments(settings, first, { token: TOKEN, limits: { fixedConntrack: true } })).toContain('maxPerCore: 0');
    expect(initDocuments(settings, first, { token: TOKEN, limits: { fixedConntrack: false } })).not.toContain('conntrack');
  });

  it('lets the kubelet run on cgroup v1 only where the host has it and the version knows the field', () => {
    expect(kubeletPatch('v1.34.4', { cgroup: 1 })).toContain('failCgroupV1: false');
    expect(kubeletPatch('v1.34.4', { cgroup: 2 })).not.toContain('failCgroupV1');
    expect(kubeletPatch('v1.30.14', { cgroup: 1 })).not.toContain('failCgroupV1');
  });
});
