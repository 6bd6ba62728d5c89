import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOn, kubernetesOn, recordOn } from './support/bare-host.ts';
import { packBare } from './support/bare-releases.ts';
import { kubectlOn, nodesOf, power, prepareBare, resetBare, writeBareSite, type BareSetting } from './support/bare.ts';
import type { Outcome } from './support/deliver.ts';
import { allEtcdAnswers, etcdMembers, until } from './support/etcd.ts';
import { gatekeeperAnswers, probeIngress } from './support/ingress-probe.ts';
import { keepFigures, stepTimes } from './support/install-events.ts';
import { escapes, onHost } from './support/lab.ts';
import type { PackedRelease } from './support/releases.ts';

const QUARTER = 15 * 60_000;
/** What the network's own pod puts on a host: no record of deliver knows it. */
const FROM_A_POD = ' /opt/cni/bin/flannel';

describe('a worker that is to go', () => {
  let setting: BareSetting;
  let release: PackedRelease;
  let shrunk: string;
  let before: readonly string[];
  let hostsFile: string;

  const install = (site: string, ...args: string[]): Promise<Outcome> =>
    setting.deliver(['install', release.bundle, '--site', site, '--yes', ...args]);
  const reset = (...args: string[]): Promise<Outcome> => setting.deliver(['reset', 'w2', '--site', shrunk, ...args]);
  const podNodes = async (): Promise<readonly string[]> => {
    const on = 'jsonpath={range .items[*]}{.spec.nodeName} {end}';
    const text = await kubectlOn(setting.lab, 'cp1', 'get', 'pods', '-n', 'project', '-l', 'app=gatekeeper', '-o', on);
    return text.trim().split(' ').sort();
  };

  beforeAll(async () => {
    setting = await prepareBare();
    before = await filesOn(setting.lab, 'w2');
    hostsFile = await onHost(setting.lab, 'w2', 'cat /etc/hosts');
    release = await packBare(setting, { kubernetes: 'v1.34.4', replicas: 2, movable: true });
    const grown = await writeBareSite(setting, 'grown', { workers: ['w1', 'w2'] });
    shrunk = await writeBareSite(setting, 'shrunk', { workers: ['w1', 'w2'], drain: ['w2'] });
    const first = await install(grown);
    expect(first.code, first.text).toBe(0);
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4', 'w2=True/v1.34.4']);
    expect(await podNodes()).toEqual(['w1', 'w2']);
    const budget = ['--selector=app=gatekeeper', '--min-available=1'];
    await kubectlOn(setting.lab, 'cp1', 'create', 'poddisruptionbudget', 'gatekeeper', '-n', 'project', ...budget);
  }, QUARTER);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it(
    'is drained within its budgets while the app answers, and neither the cluster nor the host knows the other any more',
    async () => {
      expect(await kubernetesOn(setting.lab, 'w2')).toContain('kubelet');
      const plan = await setting.deliver(['plan', release.bundle, '--site', shrunk]);
      expect(plan.words).toContain('w2: is drained and removed from the cluster');
      const probe = probeIngress(setting.lab);
      const outcome = await install(shrunk, '--json');
      const answered = await probe.stop();
      await keepFigures('a node drained', { steps: stepTimes(outcome), ...answered });
      expect(outcome.code, outcome.text).toBe(0);
      expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4']);
      expect(await podNodes()).toEqual(['w1', 'w1']);
      expect(await kubernetesOn(setting.lab, 'w2')).toBe('');
      expect(answered.requests).toBeGreaterThan(20);
      // What a pod that was told to end had not answered yet may fail; an address that stops answering may not.
      expect(answered.longest).toBeLessThan(10);
      expect(answered.failed / answered.requests).toBeLessThan(0.05);
    },
    QUARTER,
  );

  it(
    'is left alone by the next install, which changes nothing',
    async () => {
      const again = await install(shrunk);
      expect(again.code, again.text).toBe(0);
      expect(again.words).toContain('nothing was changed');
      expect(await kubernetesOn(setting.lab, 'w2')).toBe('');
    },
    QUARTER,
  );

  it(
    'is not reset before its name was given; then every file and unit is as it was before deliver, and data stays',
    async () => {
      const { lab } = setting;
      await onHost(lab, 'w2', 'mkdir -p /data0 && echo kept >/data0/answers');
      const { files, units } = await recordOn(lab, 'w2');
      expect(files).toEqual(expect.arrayContaining(['/usr/local/bin/kubelet', '/etc/systemd/system/containerd.service']));
      const unasked = await reset();
      expect(unasked.code, unasked.text).toBe(2);
      expect((await recordOn(lab, 'w2')).files).toEqual(files);

      const outcome = await reset('--confirm', 'w2');
      expect(outcome.code, outcome.text).toBe(0);
      expect(outcome.words).toContain('w2 is as it was before deliver.');
      expect(await onHost(lab, 'w2', 'cat /etc/hosts')).toBe(hostsFile);
      const left = (await filesOn(lab, 'w2')).filter((line) => !line.endsWith(FROM_A_POD));
      expect(left).toEqual(before);
      const those = `while read -r f; do [ ! -e "$f" ] || echo "$f"; done; for u in ${units.join(' ')}; do systemctl is-active -q "$u" && echo "$u runs"; done; ls -A /var/lib/deliver 2>/dev/null; :`;
      expect(await onHost(lab, 'w2', those, `${files.join('\n')}\n`)).toBe('');
      expect(await onHost(lab, 'w2', 'cat /data0/answers')).toBe('kept\n');
      expect(outcome.words).toMatch(/\/var\/lib\/containerd .* --images/);
      expect(await onHost(lab, 'w2', 'ls -A /var/lib/containerd')).not.toBe('');
    },
    QUARTER,
  );

  it(
    'is told to have nothing left by a second reset, and gives up data only by name',
    async () => {
      const { lab } = setting;
      const second = await reset('--confirm', 'w2');
      expect(second.code, second.text).toBe(0);
      expect(second.words).toContain('w2 has nothing of deliver on it.');
      expect(await onHost(lab, 'w2', 'cat /data0/answers')).toBe('kept\n');
      const third = await reset('--confirm', 'w2', '--images', '--app-data', '/data0');
      expect(third.code, third.text).toBe(0);
      expect(third.words).toContain('Data deleted: /var/lib/containerd, /data0');
      expect(await onHost(lab, 'w2', 'ls -A /var/lib/containerd /data0 2>/dev/null || :')).not.toContain('answers');
      expect(await onHost(lab, 'w2', 'find /var/lib/containerd /data0 -type f 2>/dev/null || :')).toBe('');
      expect(await gatekeeperAnswers(lab)).toHaveLength(2);
      expect(escapes()).toBe(0);
    },
    QUARTER,
  );
});

describe('an etcd of three hosts', () => {
  let setting: BareSetting;
  let release: PackedRelease;
  let site: string;

  const HOSTS = ['cp2', 'cp3', 'etcd1'] as const;
  const WHOLE = HOSTS.map((name) => ({ name, learner: false, healthy: true }));
  const install = (file: string): Promise<Outcome> => setting.deliver(['install', release.bundle, '--site', file, '--yes']);

  beforeAll(async () => {
    setting = await prepareBare();
    release = await packBare(setting, { kubernetes: 'v1.34.4' });
    site = await writeBareSite(setting, 'etcd', { etcd: HOSTS });
    const first = await install(site);
    expect(first.code, first.text).toBe(0);
  }, QUARTER);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it(
    'has three members that vote, and the cluster takes changes while one of them has no power',
    async () => {
      const { lab } = setting;
      expect(await etcdMembers(lab, 'cp2')).toMatchObject(WHOLE);
      expect(await nodesOf(lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4']);
      power('etcd1', 'off');
      try {
        const kubectl = '/usr/local/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=10s';
        const made = `${kubectl} create configmap one-is-away -n project --dry-run=client -o yaml | ${kubectl} apply -f - >/dev/null`;
        // A connection to the lost host is taken for alive for a while.
        await until(lab, 'cp1', `{ ${made} && ${kubectl} get configmap one-is-away -n project -o name >/dev/null; }`);
      } finally {
        power('etcd1', 'on');
      }
      await allEtcdAnswers(lab, 'cp2');
      expect(await etcdMembers(lab, 'cp2')).toMatchObject(WHOLE);
    },
    QUARTER,
  );

  it(
    'takes a host back that was set up anew: three members, one of them another than before',
    async () => {
      const { lab } = setting;
      const was = await etcdMembers(lab, 'cp2');
      expect(escapes()).toBe(0);
      resetBare('etcd1');
      const outcome = await install(site);
      expect(outcome.code, outcome.text).toBe(0);
      const is = await etcdMembers(lab, 'cp2');
      expect(is).toMatchObject(WHOLE);
      const same = is.filter(({ id }) => was.some((member) => member.id === id)).map(({ name }) => name);
      expect(same).toEqual(['cp2', 'cp3']);
      // Not only a name in a list: what the API server writes reaches it.
      await kubectlOn(lab, 'cp1', 'create', 'configmap', 'after-the-new-host', '-n', 'project');
      await until(lab, 'etcd1', 'grep -rqaF /registry/configmaps/project/after-the-new-host /var/lib/etcd');
      const again = await install(site);
      expect(again.words).toContain('nothing was changed');
    },
    QUARTER,
  );

  it(
    'keeps a member that it can’t do without: refused by number, nothing changed',
    async () => {
      const { lab } = setting;
      const was = await etcdMembers(lab, 'cp2');
      // Two of three are to go: cp3 by drain:, and etcd1, which no role names any more, does not run.
      const less = await writeBareSite(setting, 'less', { etcd: ['cp2', 'cp3'], spare: ['etcd1'], drain: ['cp3'] });
      await onHost(lab, 'etcd1', 'systemctl stop etcd');
      try {
        const refused = await install(less);
        expect(refused.code, refused.text).toBe(6);
        expect(refused.words).toContain('etcd can’t do without cp3.');
        expect(refused.words).toContain('It has 3 members, and 2 of them answer.');
        expect(refused.words).toContain('2 of those must answer, and 1 would.');
        expect((await etcdMembers(lab, 'cp2')).map(({ id }) => id)).toEqual(was.map(({ id }) => id));
      } finally {
        await onHost(lab, 'etcd1', 'systemctl start etcd');
      }
      await allEtcdAnswers(lab, 'cp2');
      const again = await install(site);
      expect(again.code, again.text).toBe(0);
      expect(again.words).toContain('nothing was changed');
      expect(await etcdMembers(lab, 'cp2')).toMatchObject(WHOLE);
      expect(await gatekeeperAnswers(lab)).toHaveLength(2);
      expect(escapes()).toBe(0);
    },
    QUARTER,
  );
});
