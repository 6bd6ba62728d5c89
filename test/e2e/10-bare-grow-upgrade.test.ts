import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packBare } from './support/bare-releases.ts';
import { joinSecrets, kubectlOn, nodesOf, prepareBare, writeBareSite, type BareSetting } from './support/bare.ts';
import { gatekeeperAnswers, probeIngress } from './support/ingress-probe.ts';
import { keepFigures, stepTimes } from './support/install-events.ts';
import { escapes, onHost } from './support/lab.ts';
import type { PackedRelease } from './support/releases.ts';

describe('a site of bare hosts, kept', () => {
  let setting: BareSetting;
  let older: PackedRelease;
  let wider: PackedRelease;
  let newer: PackedRelease;
  let grown: string;

  beforeAll(async () => {
    setting = await prepareBare();
    older = await packBare(setting, { kubernetes: 'v1.33.13' });
    wider = await packBare(setting, { kubernetes: 'v1.33.13', version: '1.33.13-wider', replicas: 2 });
    newer = await packBare(setting, { kubernetes: 'v1.34.4', replicas: 2 });
    const small = await writeBareSite(setting, 'small');
    grown = await writeBareSite(setting, 'grown', { workers: ['w1', 'w2'] });
    const first = await setting.deliver(['install', older.bundle, '--site', small, '--yes']);
    expect(first.code, first.text).toBe(0);
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.33.13', 'w1=True/v1.33.13']);
  }, 1_200_000);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it('a new host in the site file is joined by the next install and gets the second replica, and the app goes on', async () => {
    const probe = probeIngress(setting.lab);
    const outcome = await setting.deliver(['install', wider.bundle, '--site', grown, '--yes', '--json']);
    const answered = await probe.stop();
    expect(outcome.code, outcome.text).toBe(0);
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.33.13', 'w1=True/v1.33.13', 'w2=True/v1.33.13']);
    // Each has a volume on its own node, so that a drained worker is not the only one that answers.
    const on = 'jsonpath={range .items[*]}{.spec.nodeName} {end}';
    const nodes = await kubectlOn(setting.lab, 'cp1', 'get', 'pods', '-n', 'project', '-l', 'app=gatekeeper', '-o', on);
    expect(nodes.trim().split(' ').sort()).toEqual(['w1', 'w2']);
    expect(await joinSecrets(setting.lab, 'cp1')).not.toContain('bootstrap.kubernetes.io/token');
    await keepFigures('a node added', { steps: stepTimes(outcome), ...answered });
    expect(answered.requests).toBeGreaterThan(20);
    expect(answered.failed).toBe(0);
  });

  it('an upgrade by one minor version ends with every node at the new one, with the app answering throughout', async () => {
    const probe = probeIngress(setting.lab);
    const outcome = await setting.deliver(['install', newer.bundle, '--site', grown, '--yes', '--json']);
    const answered = await probe.stop();
    await keepFigures('upgrade 1.33 to 1.34', { steps: stepTimes(outcome), ...answered });
    expect(outcome.code, outcome.text).toBe(0);
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4', 'w2=True/v1.34.4']);
    expect(answered.requests).toBeGreaterThan(100);
    // What a drained pod had not answered yet may fail; an address that stops answering may not.
    expect(answered.longest).toBeLessThan(30);
    expect(answered.failed / answered.requests).toBeLessThan(0.05);
  });

  it('leaves every node open for pods, and the same install again changes nothing', async () => {
    const jsonpath = 'jsonpath={range .items[*]}{.spec.unschedulable}{end}';
    expect(await kubectlOn(setting.lab, 'cp1', 'get', 'nodes', '-o', jsonpath)).not.toContain('true');
    const again = await setting.deliver(['install', newer.bundle, '--site', grown, '--yes']);
    expect(again.words).toContain('nothing was changed');
    expect(await gatekeeperAnswers(setting.lab)).toHaveLength(2);
  });

  it('does not go back to the older Kubernetes: refused, nothing changed', async () => {
    const outcome = await setting.deliver(['install', wider.bundle, '--site', grown, '--yes']);
    expect([3, 6]).toContain(outcome.code);
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1=True/v1.34.4', 'w1=True/v1.34.4', 'w2=True/v1.34.4']);
  });

  it('has programs of one version on every node', async () => {
    for (const host of ['cp1', 'w1', 'w2'])
      expect(await onHost(setting.lab, host, 'kubeadm version -o short; kubelet --version')).toBe(
        'v1.34.4\nKubernetes v1.34.4\n',
      );
  });

  it('asked nothing of the world outside', () => {
    expect(escapes()).toBe(0);
  });
});
