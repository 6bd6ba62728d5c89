import { cp, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { onConnectedSide } from './support/deliver.ts';
import { kubectl, onHost } from './support/lab.ts';
import { packSample, withOlderImage } from './support/releases.ts';
import { prepare, type Setting } from './support/setting.ts';

describe('across the gateway in volumes', () => {
  let setting: Setting;
  let folder: string;

  beforeAll(async () => {
    setting = await prepare();
    folder = path.join(setting.folder, 'usb');
    const split = ['split', setting.release.bundle, '--volume-size', '3MiB', '--parity', '1', '--sign-key', setting.key.file];
    const outcome = await onConnectedSide([...split, '--output', folder]);
    expect(outcome.code, outcome.text).toBe(0);
  }, 600_000);

  const trust = (): string[] => ['--trust', `${setting.key.file}.pub`];
  const volumes = async (): Promise<string[]> => (await readdir(folder)).filter((name) => /\.v\d{3}$/.test(name)).sort();

  it('a lost volume and a damaged MiB are too much for one parity volume: a code is read over the phone, and what comes back mends it', async () => {
    const [first = '', second = ''] = await volumes();
    await rm(path.join(folder, second));
    const file = await open(path.join(folder, first), 'r+');
    await file.write(Buffer.alloc(1000, 7), 0, 1000, 1_500_000);
    await file.close();
    const seen = await setting.deliver(['verify', folder, ...trust()]);
    expect(seen.code).toBe(4);
    expect(seen.text).toContain('missing');
    const code = /^\s+((?:[0-9A-Z]{2,4}-)+[0-9A-Z]{2,4})\s*$/m.exec(seen.text)?.[1] ?? 'no code';
    const patch = path.join(setting.folder, 'patch');
    const resent = await onConnectedSide(['resend', setting.release.bundle, code, '--output', patch, '--carry', folder]);
    expect(resent.code, `${seen.text}\n${resent.text}`).toBe(0);
    await cp(patch, folder, { recursive: true });
    const repaired = await setting.deliver(['repair', folder]);
    expect(repaired.code, repaired.text).toBe(0);
    const whole = await setting.deliver(['verify', folder, ...trust()]);
    expect(whole.code, whole.text).toBe(0);
  });

  it('plans and installs from the volumes in place', async () => {
    const before = (await readdir(folder)).sort();
    const plan = await setting.deliver(['plan', folder, '--site', setting.site]);
    expect(plan.code, plan.text).toBe(0);
    const install = await setting.deliver(['install', folder, '--site', setting.site, '--yes']);
    expect(install.code, install.text).toBe(0);
    expect(
      await kubectl(setting.lab, 'get', 'sts', 'gatekeeper', '-n', 'project', '-o', 'jsonpath={.status.readyReplicas}'),
    ).toBe('1');
    expect((await readdir(folder)).sort()).toEqual(before);
  });

  it('installs a delta on a site that has its base, and refuses it where the base is not', async () => {
    const older = await packSample(setting.folder, setting.key, '3.6.1', withOlderImage);
    const delta = [
      'pack',
      older.manifest,
      '--since',
      setting.release.bundle,
      '--output',
      path.join(setting.folder, 'delta'),
      '--sign-key',
      setting.key.file,
    ];
    const packed = await onConnectedSide(delta);
    expect(packed.code, packed.text).toBe(0);
    const bundle = path.join(setting.folder, 'delta/gatekeeper-suite-3.6.1-since-3.6.2.tar');
    const installed = await setting.deliver(['install', bundle, '--site', setting.site, '--yes']);
    expect(installed.code, installed.text).toBe(0);
    const image = await kubectl(
      setting.lab,
      'get',
      'sts',
      'gatekeeper',
      '-n',
      'project',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    );
    expect(image).toContain(':v361');
    const elsewhere = await setting.otherSite('empty-project', { registry: { project: 'elsewhere' } });
    const refused = await setting.deliver(['plan', bundle, '--site', elsewhere]);
    expect(refused.code, refused.text).toBe(6);
    expect(refused.text).toContain('E_BASE_MISSING');
  });

  it('containerd pulls an image from a served bundle through hosts.toml', async () => {
    const { lab } = setting;
    const hosts = '/tmp/serve-hosts/docker.io';
    const toml =
      'server = "http://10.77.0.100:5005"\ncapabilities = ["push"]\n[host."http://10.77.0.100:5005/v2/docker.io"]\ncapabilities = ["pull", "resolve"]\noverride_path = true\n';
    await onHost(lab, 'w1', `mkdir -p ${hosts}; printf '%s' '${toml}' > ${hosts}/hosts.toml`);
    let pulled: Promise<string> | undefined;
    const stop = new AbortController();
    const serving = setting.deliver(['serve', setting.release.bundle, '--listen', '10.77.0.100:5005', ...trust()], {
      stop: stop.signal,
      onOutput: () => {
        pulled ??= onHost(
          lab,
          'w1',
          'for i in 1 2 3 4 5 6; do ctr -n serve-test images pull --hosts-dir /tmp/serve-hosts docker.io/library/busybox:1.36 && exit 0; sleep 1; done; exit 1',
        );
        void pulled
          .catch(() => undefined)
          .then(() => {
            stop.abort();
          });
      },
    });
    const outcome = await serving;
    expect(outcome.code, outcome.text).toBe(0);
    expect(await pulled).toContain('done');
    await onHost(lab, 'w1', 'ctr -n serve-test images rm docker.io/library/busybox:1.36; rm -rf /tmp/serve-hosts');
  });
});
