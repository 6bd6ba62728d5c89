import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandOnSite, onSite } from './support/deliver.ts';
import { ask } from './support/ingress-probe.ts';
import { escapes, harborRequests, kubectl, mark, readLab, resetSite, siteSecrets, writeSite, type Lab } from './support/lab.ts';
import { packSample, signingKey, type PackedRelease, type SigningKey } from './support/releases.ts';

const HOSTS = ['gatekeeper.project.10.86.67.11.nip.io', 'gatekeeper.project.10.86.68.66.nip.io'] as const;

describe('the main job on an air-gapped site', () => {
  let lab: Lab;
  let folder: string;
  let key: SigningKey;
  let release: PackedRelease;
  let site: string;

  beforeAll(async () => {
    lab = readLab();
    resetSite();
    folder = await mkdtemp(path.join(tmpdir(), 'deliver-e2e-'));
    key = await signingKey(folder);
    release = await packSample(folder, key, '3.6.2');
    site = await writeSite(lab, folder, { trust: [key.publicKey] });
  }, 600_000);

  const deliver = (...args: string[]) => onSite([...args, '--site', site], { env: siteSecrets(lab) });
  const answer = async (host: string) =>
    JSON.parse((await commandOnSite(ask(`http://${host}/`))).stdout) as Record<string, unknown>;

  it('plans the whole release and changes nothing', async () => {
    const before = mark(lab);
    const outcome = await deliver('plan', release.bundle);
    expect(outcome.words).toContain('push 2 images');
    expect(outcome.text).toMatch(/project\/gatekeeper +StatefulSet +\+ new/);
    expect(outcome.code).toBe(0);
    const written = harborRequests(lab)
      .slice(before)
      .filter(({ method }) => !['GET', 'HEAD'].includes(method));
    expect(written).toEqual([]);
    expect(await kubectl(lab, 'get', 'ns', '-o', 'name')).not.toContain('namespace/project');
  });

  it('installs it through a bastion, and both nip.io hosts answer with a counter that lives in the external Redis', async () => {
    const outcome = await deliver('install', release.bundle, '--yes');
    expect(outcome.words).toContain('gatekeeper-suite 3.6.2 is installed on lab');
    expect(outcome.code).toBe(0);
    const first = await answer(HOSTS[0]);
    const second = await answer(HOSTS[1]);
    expect(first).toMatchObject({ app: 'gatekeeper', version: 'v362', port: '8000', pod: 'gatekeeper-0' });
    expect(second).toMatchObject({ port: '8080' });
    // The app gives its Redis one second; a count whose answer came too late is asked for again.
    expect(Number(second['count'])).toBeGreaterThan(Number(first['count']));
  });

  it('leaves references unmodified, and both images run from the site’s own Harbor', async () => {
    const images = await kubectl(
      lab,
      'get',
      'pods',
      '-n',
      'project',
      '-o',
      'jsonpath={range .items[*].spec.containers[*]}{.image}{"\\n"}{end}',
    );
    expect(images.trim().split('\n').sort()).toEqual(['busybox:1.36', 'dockerhub.kubekey.local/project/gatekeeper:v362']);
    const pulled = harborRequests(lab).filter(
      ({ method, path: at, status }) =>
        method === 'GET' && status === 200 && at.startsWith('/v2/docker.io/library/busybox/blobs/'),
    );
    expect(pulled.length).toBeGreaterThan(0);
  });

  it('a second install changes nothing and says so', async () => {
    const state = async () =>
      kubectl(
        lab,
        'get',
        'sts,deploy,svc,ing,cm,secret,endpointslice',
        '-n',
        'project',
        '-o',
        'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion} {end}',
      );
    const record = async () =>
      kubectl(
        lab,
        'get',
        'cm',
        '-n',
        'deliver-system',
        '-o',
        'jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}',
      );
    const before = [await state(), await record()];
    const requests = mark(lab);
    const outcome = await deliver('install', release.bundle, '--yes');
    expect(outcome.words).toContain('nothing was changed');
    expect(outcome.code).toBe(0);
    expect([await state(), await record()]).toEqual(before);
    const written = harborRequests(lab)
      .slice(requests)
      .filter(({ method }) => !['GET', 'HEAD'].includes(method));
    expect(written).toEqual([]);
  });

  it('plans a changed replica count as that one field, and applies it', async () => {
    const changed = await packSample(folder, key, '3.6.3', (text) =>
      text.replace('replicas: 1\n    ports:\n      - { name: http-8000', 'replicas: 2\n    ports:\n      - { name: http-8000'),
    );
    const plan = await deliver('plan', changed.bundle, '--json');
    expect(plan.code).toBe(0);
    const lines = plan.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const result = lines.find((line) => line['event'] === 'result')?.['result'] as {
      from: string;
      objects: { action: string; changes: unknown[] }[];
      registry: { imagesToPush: number };
    };
    expect(result.from).toBe('3.6.2');
    expect(result.registry.imagesToPush).toBe(0);
    expect(result.objects.filter(({ action }) => action !== 'same').flatMap(({ changes }) => changes)).toEqual([
      { path: 'spec.replicas', kind: 'change', before: 1, after: 2 },
    ]);
    const install = await deliver('install', changed.bundle, '--yes');
    expect(install.code).toBe(0);
    expect(await kubectl(lab, 'get', 'sts', 'gatekeeper', '-n', 'project', '-o', 'jsonpath={.status.readyReplicas}')).toBe('2');
    const nodes = await kubectl(
      lab,
      'get',
      'pods',
      '-n',
      'project',
      '-l',
      'app=gatekeeper',
      '-o',
      'jsonpath={range .items[*]}{.spec.nodeName} {end}',
    );
    expect(nodes.trim().split(' ').sort()).toEqual(['cp1', 'w1']);
  });

  it('shows hosts, registry, release, apps and addresses in status', async () => {
    const outcome = await deliver('status');
    expect(outcome.code).toBe(0);
    for (const text of ['cp1', 'reg1', 'Harbor', 'gatekeeper-suite 3.6.3', 'project/gatekeeper', '2 of 2', ...HOSTS])
      expect(outcome.stdout).toContain(text);
  });

  it('works without tunnels, as another user whose sudo asks for a password', async () => {
    const hosts = Object.fromEntries(
      ['cp1', 'w1', 'reg1'].map((name) => [name, { user: 'opspw', key: undefined, password: '${secret.opspw}' }]),
    );
    const direct = await writeSite(lab, path.join(folder, 'direct'), { trust: [key.publicKey], tunnelled: false, hosts });
    const env = { ...siteSecrets(lab), DELIVER_SECRET_OPSPW: lab.ssh.users.opspw.password };
    const outcome = await onSite(['install', path.join(folder, 'gatekeeper-suite-3.6.3.tar'), '--site', direct, '--yes'], {
      env,
    });
    expect(outcome.words).toContain('nothing was changed');
    expect(outcome.code).toBe(0);
    expect(outcome.text).not.toContain(lab.ssh.users.opspw.password);
  });

  it('writes no secret into the output, the journal, the record or the bundle', async () => {
    const password = siteSecrets(lab)['DELIVER_SECRET_HARBOR'] ?? '';
    const outcome = await deliver('install', release.bundle, '--yes', '--json');
    expect(outcome.code).toBe(0);
    expect(outcome.text).not.toContain(password);
    expect(await kubectl(lab, 'get', 'cm', '-A', '-o', 'json')).not.toContain(password);
    expect((await readFile(release.bundle)).includes(password)).toBe(false);
  });

  it('asked nothing of the world outside', () => {
    expect(escapes()).toBe(0);
  });
});
