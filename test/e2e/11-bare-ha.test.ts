import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packBare } from './support/bare-releases.ts';
import { kubectlOn, nodesOf, power, prepareBare, writeBareSite, type BareSetting } from './support/bare.ts';
import { gatekeeperAnswers } from './support/ingress-probe.ts';
import { keepFigures, stepTimes } from './support/install-events.ts';
import { escapes, onHost, type Lab } from './support/lab.ts';

/** What a worker asks of the API server, the way its kubelet does: through its own haproxy. */
function askFromWorker(lab: Lab): Promise<string> {
  const kubectl = '/usr/local/bin/kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout=5s get node w1 -o name';
  return onHost(lab, 'w1', `for i in $(seq 60); do ${kubectl} && exit 0; sleep 1; done; exit 1`);
}

describe('control planes that may fail', () => {
  let setting: BareSetting;

  beforeEach(async () => {
    setting = await prepareBare();
  }, 600_000);

  afterEach(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it('three of them behind haproxy: one loses power and the API goes on answering, also to workers, and takes changes', async () => {
    const { lab } = setting;
    const release = await packBare(setting, { kubernetes: 'v1.34.4', haproxy: true });
    const site = await writeBareSite(setting, 'ha', { controlPlanes: ['cp1', 'cp2', 'cp3'], loadBalancer: 'haproxy' });
    const outcome = await setting.deliver(['install', release.bundle, '--site', site, '--yes', '--json']);
    expect(outcome.code, outcome.text).toBe(0);
    await keepFigures('three control planes, milliseconds', stepTimes(outcome));
    const all = ['cp1', 'cp2', 'cp3', 'w1'].map((host) => `${host}=True/v1.34.4`);
    expect(await nodesOf(lab, 'cp2')).toEqual(all);
    power('cp1', 'off');
    try {
      expect(await askFromWorker(lab)).toContain('node/w1');
      expect(await kubectlOn(lab, 'cp2', 'create', 'configmap', 'while-one-is-away', '-n', 'project')).toContain('created');
    } finally {
      power('cp1', 'on');
    }
    expect(await askFromWorker(lab)).toContain('node/w1');
    const again = await setting.deliver(['install', release.bundle, '--site', site, '--yes']);
    expect(again.code, again.text).toBe(0);
    expect(await nodesOf(lab, 'cp1')).toEqual(all);
    expect(escapes()).toBe(0);
  }, 1_500_000);

  it('an etcd on a host of its own: no etcd on the control plane, and what the API server writes is there', async () => {
    const { lab } = setting;
    const release = await packBare(setting, { kubernetes: 'v1.34.4' });
    const site = await writeBareSite(setting, 'etcd', { etcd: ['etcd1'] });
    const outcome = await setting.deliver(['install', release.bundle, '--site', site, '--yes']);
    expect(outcome.code, outcome.text).toBe(0);
    expect(await nodesOf(lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4']);
    expect((await onHost(lab, 'cp1', 'ls /etc/kubernetes/manifests')).split('\n')).not.toContain('etcd.yaml');
    expect((await onHost(lab, 'etcd1', 'systemctl is-active etcd')).trim()).toBe('active');
    // Not by etcdctl: that the registration of our own namespace lies in its files is enough, and needs no keys.
    expect(Number(await onHost(lab, 'etcd1', 'grep -rlaF /registry/namespaces/project /var/lib/etcd | wc -l'))).toBeGreaterThan(
      0,
    );
    expect(await gatekeeperAnswers(lab)).toHaveLength(2);
    expect(escapes()).toBe(0);
  }, 1_200_000);
});
