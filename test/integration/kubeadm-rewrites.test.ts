import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyObjects, planObjects } from '../../src/cluster/apply.ts';
import { textAt } from '../../src/cluster/fields.ts';
import type { ClusterApi, KubeObject } from '../../src/cluster/port.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import { kubernetesProgram, whyNoKubernetes, type KubeApiServer } from '../support/kube-api.ts';

const VERSIONS = ['v1.33.13', 'v1.34.4'] as const;
const missing = (await whyNoKubernetes()) ?? (await lacking());
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', name: 'coredns', namespace: 'kube-system' };
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'coredns', namespace: 'kube-system' };
const LABELS = { 'deliver/release': 'suite' };

async function lacking(): Promise<string | undefined> {
  for (const version of VERSIONS) {
    const there = await access(kubernetesProgram(version, 'kubeadm')).then(
      () => true,
      () => false,
    );
    if (!there) return `kubeadm ${version} is not built`;
  }
  return undefined;
}

describeOnKube('what kubeadm writes over on an upgrade', { missing }, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deliver-kubeadm-'));
    ({ kube, api } = started());
    await writeFile(join(folder, 'kubeconfig'), kube.kubeconfig);
    await addOns('v1.33.13');
  }, 90_000);

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  /** The very writes of `kubeadm upgrade apply`: both call EnsureDNSAddon. */
  const addOns = async (version: (typeof VERSIONS)[number]): Promise<void> => {
    const config = join(folder, 'kubeadm.yaml');
    await writeFile(config, kubeadmConfig(version));
    const args = ['init', 'phase', 'addon', 'coredns', '--kubeconfig', join(folder, 'kubeconfig'), '--config', config];
    await promisify(execFile)(kubernetesProgram(version, 'kubeadm'), args, { timeout: 60_000 });
  };
  const corefile = async (): Promise<string> => textAt(await api.get(CONFIG_MAP), 'data', 'Corefile') ?? '';

  test('a Corefile of the release stays through an upgrade, and applying it again changes nothing', async () => {
    const ours = configMap(OWN);
    expect((await applyObjects(api, [ours], { adopt: true }))[0]).toMatchObject({ action: 'change', takenFrom: ['kubeadm'] });
    await addOns('v1.34.4');
    expect(await corefile()).toBe(OWN);
    expect(await planObjects(api, [ours], { adopt: true })).toMatchObject([{ action: 'same' }]);
  });

  test('one that kubeadm migrated is the release’s again, without a conflict', async () => {
    // What migrateCoreDNSCorefile sends: the whole object, without labels, with a backup.
    const live = await api.get(CONFIG_MAP);
    const replaced = {
      ...CONFIG_MAP_HEAD,
      metadata: { ...CONFIG_MAP_HEAD.metadata, uid: live?.metadata.uid },
      data: { Corefile: '.:53 {\n    migrated\n}\n', 'Corefile-backup': OWN },
    };
    await kube.kubectl(['replace', '--field-manager=kubeadm', '-f', '-'], JSON.stringify(replaced));
    const [done] = await applyObjects(api, [configMap(OWN)], { adopt: true });
    expect(done).toMatchObject({ action: 'change', takenFrom: ['kubeadm'] });
    expect(await corefile()).toBe(OWN);
    expect(await planObjects(api, [configMap(OWN)], { adopt: true })).toMatchObject([{ action: 'same' }]);
  });

  test('of an object where both own fields, what kubeadm put back is taken again, and said', async () => {
    const ours = await deployment('300Mi');
    await applyObjects(api, [ours], { adopt: true });
    await addOns('v1.34.4');
    expect(await memory(api)).toBe('170Mi');
    const [plan] = await planObjects(api, [ours], { adopt: true });
    expect(plan).toMatchObject({ action: 'change', takenFrom: ['kubeadm'] });
    await applyObjects(api, [ours], { adopt: true });
    expect(await memory(api)).toBe('300Mi');
    expect(await planObjects(api, [ours], { adopt: true })).toMatchObject([{ action: 'same' }]);
  });

  test('what somebody else changed stays a conflict, also after kubeadm', async () => {
    const foreign = JSON.stringify({ ...CONFIG_MAP_HEAD, data: { Corefile: '.:53 {\n    whoami\n}\n' } });
    await kube.kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=somebody', '-f', '-'], foreign);
    await expect(planObjects(api, [configMap(OWN)], { adopt: true })).rejects.toThrowWithCode('E_CONFLICT', 'somebody');
  });

  test('a field that was kubeadm’s all along, and that a new release wants, is a conflict', async () => {
    const wider = await deployment('300Mi');
    const spec = wider['spec'] as object;
    const object = { ...wider, spec: { ...spec, revisionHistoryLimit: 3 } };
    await kube.kubectl([
      'patch',
      'deployment',
      'coredns',
      '-n',
      'kube-system',
      '--field-manager=kubeadm',
      '-p',
      '{"spec":{"revisionHistoryLimit":5}}',
    ]);
    await secondsPass();
    await applyObjects(api, [{ ...wider, metadata: { ...wider.metadata, labels: { ...LABELS, step: 'two' } } }], {
      adopt: true,
    });
    await expect(planObjects(api, [object], { adopt: true })).rejects.toThrowWithCode('E_CONFLICT', 'kubeadm');
  });

  async function deployment(limit: string): Promise<KubeObject> {
    const name = 'coredns';
    const labels = { 'k8s-app': 'kube-dns' };
    const image = textAt(await api.get(DEPLOYMENT), 'spec', 'template', 'spec', 'containers', 0, 'image') ?? '';
    const containers = [{ name, image, resources: { limits: { memory: limit } } }];
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'kube-system', labels: LABELS },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    };
  }
});

const CONFIG_MAP_HEAD = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'coredns', namespace: 'kube-system' } };
const OWN = '.:53 {\n    errors\n    template IN A nip.io {\n      answer "{{ .Name }} 60 IN A 10.0.0.1"\n    }\n    reload\n}\n';

function configMap(text: string): KubeObject {
  return { ...CONFIG_MAP_HEAD, metadata: { ...CONFIG_MAP_HEAD.metadata, labels: LABELS }, data: { Corefile: text } };
}

async function memory(api: ClusterApi): Promise<string> {
  const path = ['spec', 'template', 'spec', 'containers', 0, 'resources', 'limits', 'memory'] as const;
  return textAt(await api.get(DEPLOYMENT), ...path) ?? '';
}

/** The API server keeps the time of a write in whole seconds. */
function secondsPass(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_100));
}

function kubeadmConfig(version: string): string {
  const api = 'apiVersion: kubeadm.k8s.io/v1beta4';
  return `${api}
kind: ClusterConfiguration
kubernetesVersion: ${version}
networking: { serviceSubnet: 10.96.0.0/16, dnsDomain: cluster.local }
---
${api}
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: 10.1.2.3 }
nodeRegistration: { name: cp1, criSocket: "unix:///run/containerd/containerd.sock" }
`;
}
