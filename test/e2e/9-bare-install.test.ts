import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JOIN_SECRETS, watchArgv, type ArgvReport } from './support/argv-watch.ts';
import { packAppAlone, packKubeKey } from './support/bare-releases.ts';
import { joinSecrets, kubectlOn, nodesOf, prepareBare, type BareSetting } from './support/bare.ts';
import type { Outcome } from './support/deliver.ts';
import { gatekeeperAnswers } from './support/ingress-probe.ts';
import { keepFigures, stepTimes } from './support/install-events.ts';
import { escapes, onHost } from './support/lab.ts';
import { filesWith, hostFilesWith, journalsWith } from './support/secret-search.ts';

const HOSTS = ['cp1', 'w1', 'reg1'] as const;

describe('KubeKey’s two files on hosts that have nothing but sshd', () => {
  let setting: BareSetting;
  let kubekey: Awaited<ReturnType<typeof packKubeKey>>;
  let first: Outcome;
  let argv: ArgvReport;

  const install = (...args: string[]) => setting.deliver(['install', kubekey.bundle, '--site', kubekey.site, '--yes', ...args]);
  const secrets = (): readonly string[] => [setting.planted.registry, setting.planted.app, setting.planted.sudo];

  beforeAll(async () => {
    setting = await prepareBare();
    kubekey = await packKubeKey(setting);
    const stop = watchArgv([...secrets(), ...JOIN_SECRETS]);
    first = await install('--json');
    argv = stop();
  }, 900_000);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it('become a cluster of three hosts, with the app answering under both nip.io hosts', async () => {
    expect(first.code, first.text).toBe(0);
    await keepFigures('bare install, milliseconds', stepTimes(first));
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.33.13', 'w1=True/v1.33.13']);
    const [one, two] = await gatekeeperAnswers(setting.lab);
    expect(one).toMatchObject({ app: 'gatekeeper', version: 'v362', port: '8000' });
    expect(two).toMatchObject({ app: 'gatekeeper', version: 'v362', port: '8080' });
  });

  it('leaves references as they are, and every image comes from the registry that it installed', async () => {
    const jsonpath = 'jsonpath={range .items[*].spec.containers[*]}{.image}{"\\n"}{end}';
    const images = await kubectlOn(setting.lab, 'cp1', 'get', 'pods', '-A', '-o', jsonpath);
    expect(images.split('\n')).toEqual(
      expect.arrayContaining(['registry.k8s.io/kube-apiserver:v1.33.13', 'dockerhub.kubekey.local/project/gatekeeper:v362']),
    );
    expect(await onHost(setting.lab, 'reg1', 'ls /var/lib/registry/docker/registry/v2/repositories')).toContain(
      'registry.k8s.io',
    );
  });

  it('installed again, changes nothing, in less than a minute', async () => {
    const jsonpath = 'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion} {end}';
    const state = async () => [
      await kubectlOn(setting.lab, 'cp1', 'get', 'sts,deploy,ds,svc,ing,cm,secret', '-n', 'project', '-o', jsonpath),
      ...(await Promise.all(HOSTS.map((host) => onHost(setting.lab, host, 'cat /var/lib/deliver/host.json')))),
    ];
    const before = await state();
    const began = performance.now();
    const again = await install();
    const milliseconds = Math.round(performance.now() - began);
    expect(again.code, again.text).toBe(0);
    expect(again.words).toContain('nothing was changed');
    expect(await state()).toEqual(before);
    await keepFigures('the same install again, milliseconds', milliseconds);
    expect(milliseconds).toBeLessThan(60_000);
  });

  it('shows no secret on any command line, on the hosts or at the operator’s machine', () => {
    expect([...argv.programs].some((program) => program.endsWith('kubeadm'))).toBe(true);
    expect(argv.leaks).toEqual([]);
  });

  it('leaves no secret in the output, a journal, or a file', async () => {
    for (const secret of secrets()) expect(first.text).not.toContain(secret);
    expect(await journalsWith(setting.lab, HOSTS, secrets())).toEqual([]);
    expect(hostFilesWith(setting.lab, secrets())).toEqual([]);
    // The site file itself holds passwords, as KubeKey's do: it is the operator's.
    expect(filesWith(secrets(), [path.join(setting.folder, 'state'), kubekey.bundle])).toEqual([]);
  });

  it('leaves nothing with which somebody could join', async () => {
    const left = await joinSecrets(setting.lab, 'cp1');
    expect(left).not.toContain('bootstrap.kubernetes.io/token');
    expect(left).not.toContain('kubeadm-certs');
  });

  it('takes a release of apps alone, and the nodes still pull what the first one brought', async () => {
    const mirror = '/etc/containerd/certs.d/registry.k8s.io/hosts.toml';
    const before = await onHost(setting.lab, 'w1', `cat ${mirror}`);
    const alone = await packAppAlone(setting, 'notices');
    const outcome = await setting.deliver(['install', alone.bundle, '--site', kubekey.site, '--yes']);
    expect(outcome.code, outcome.text).toBe(0);
    expect(
      await kubectlOn(setting.lab, 'cp1', 'get', 'deploy', '-n', 'notices', '-o', 'jsonpath={.items[0].status.readyReplicas}'),
    ).toBe('1');
    expect(await onHost(setting.lab, 'w1', `cat ${mirror}`)).toBe(before);
    const again = await setting.deliver(['install', alone.bundle, '--site', kubekey.site, '--yes']);
    expect(again.words).toContain('nothing was changed');
  });

  it('asked nothing of the world outside', () => {
    expect(escapes()).toBe(0);
  });
});
