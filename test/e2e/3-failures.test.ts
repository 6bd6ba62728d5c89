import { beforeAll, describe, expect, it } from 'vitest';
import path from 'node:path';
import { fill } from '../bench/registry.ts';
import { onConnectedSide } from './support/deliver.ts';
import { kubectl, onHost, wipeHarbor } from './support/lab.ts';
import { writeImageRelease } from './support/releases.ts';
import { prepare, type Setting } from './support/setting.ts';

describe('when something on the site is wrong', () => {
  let setting: Setting;
  let images: string;

  beforeAll(async () => {
    setting = await prepare();
    const names = await fill(setting.lab.upstream.registry, 0.1);
    const manifest = await writeImageRelease(setting.folder, 'images', setting.lab.upstream.registry, names);
    const packed = await onConnectedSide(['pack', manifest, '--output', setting.folder, '--sign-key', setting.key.file]);
    expect(packed.code, packed.text).toBe(0);
    images = path.join(setting.folder, 'images-1.tar');
  }, 600_000);

  const install = (bundle: string, options = {}, site = setting.site) =>
    setting.deliver(['install', bundle, '--site', site, '--yes'], options);

  it('a wrong Harbor password is told apart, and nothing was changed', async () => {
    const outcome = await install(setting.release.bundle, { env: { DELIVER_SECRET_HARBOR: 'not-the-password' } });
    expect(outcome.code).toBe(5);
    expect(outcome.words).toContain('E_REGISTRY_AUTH');
    expect(outcome.words).toContain('Nothing was changed');
    expect(outcome.text).not.toContain('not-the-password');
  });

  it('a wrong SSH password names the host and what was tried', async () => {
    const site = await setting.otherSite('wrong-password', {
      hosts: { w1: { user: 'opspw', key: undefined, password: '${secret.wrong}' } },
    });
    const outcome = await install(setting.release.bundle, { env: { DELIVER_SECRET_WRONG: 'certainly-wrong' } }, site);
    expect(outcome.code).toBe(5);
    expect(outcome.words).toContain('E_SSH_AUTH');
    expect(outcome.words).toContain('w1');
    expect(outcome.text).not.toContain('certainly-wrong');
  });

  it('a full disk on the registry host is named, and the next run completes', async () => {
    // All but a few MB of the registry's own file system.
    await onHost(
      setting.lab,
      'reg1',
      'free=$(df --output=avail -B1M /var/lib/docker-registry | tail -1); fallocate -l $((free - 20))M /var/lib/docker-registry/ballast',
    );
    try {
      const foreseen = await setting.otherSite('with-storage', { registry: { storage: '/var/lib/docker-registry' } });
      const refused = await install(images, {}, foreseen);
      expect(refused.code, refused.text).toBe(6);
      expect(refused.words).toMatch(/reg1: registry disk: .* free on .* will be pushed/);
      expect(refused.words).toContain('Nothing was changed');
      const outcome = await install(images);
      expect(outcome.code, outcome.text).toBe(5);
      expect(outcome.text).toContain('E_REGISTRY_FULL');
    } finally {
      await onHost(setting.lab, 'reg1', 'rm -f /var/lib/docker-registry/ballast');
    }
    const again = await install(images);
    expect(again.code, again.text).toBe(0);
  });

  it('Harbor going down in mid-push is an error of the registry, and the next run completes', async () => {
    await wipeHarbor(setting.lab);
    let stopped: Promise<unknown> | undefined;
    const outcome = await install(images, {
      onOutput: (text: string) => {
        if (stopped === undefined && text.includes('Mirrors'))
          stopped = onHost(setting.lab, 'reg1', 'sleep 0.7; systemctl stop harbor-front');
      },
    });
    await stopped;
    try {
      expect(outcome.code, outcome.text).toBe(5);
      expect(outcome.words).toContain('E_REGISTRY');
      expect(outcome.words).toContain('same command goes on');
    } finally {
      await onHost(
        setting.lab,
        'reg1',
        'systemctl start harbor-front; for i in $(seq 100); do curl -ks -o /dev/null https://127.0.0.1/api/v2.0/ping && exit; sleep 0.1; done',
      );
    }
    const again = await install(images);
    expect(again.code, again.text).toBe(0);
  });

  it('the API server going down in mid-apply is an error of the cluster, and the next run completes', async () => {
    let stopped: Promise<unknown> | undefined;
    const down =
      'mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/; for i in $(seq 100); do pgrep -x kube-apiserver >/dev/null || exit 0; sleep 0.2; done; pkill -KILL -x kube-apiserver';
    const outcome = await install(setting.release.bundle, {
      onOutput: (text: string) => {
        if (stopped === undefined && text.includes('✔ Namespaces')) stopped = onHost(setting.lab, 'cp1', down);
      },
    });
    await stopped;
    try {
      expect(outcome.code, outcome.text).toBe(5);
      expect(outcome.words).toContain('E_CLUSTER');
      expect(outcome.words).toContain('same command');
    } finally {
      await onHost(
        setting.lab,
        'cp1',
        'mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/; for i in $(seq 300); do curl -ks https://127.0.0.1:6443/readyz | grep -qx ok && exit 0; sleep 0.3; done',
      );
    }
    const again = await install(setting.release.bundle);
    expect(again.code, again.text).toBe(0);
    expect(
      await kubectl(setting.lab, 'get', 'sts', 'gatekeeper', '-n', 'project', '-o', 'jsonpath={.status.readyReplicas}'),
    ).toBe('1');
  });
});
