import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packBare } from './support/bare-releases.ts';
import { kubectlOn, nodesOf, power, prepareBare, writeBareSite, type BareSetting } from './support/bare.ts';
import type { Outcome } from './support/deliver.ts';
import { gatekeeperAnswers } from './support/ingress-probe.ts';
import { keepFigures, stepTimes } from './support/install-events.ts';
import { escapes, onHost, type Lab } from './support/lab.ts';
import type { PackedRelease } from './support/releases.ts';

const NODES = ['cp1=True/v1.34.4'];
const Images = z.object({
  images: z.array(z.object({ repoTags: z.array(z.string()), pinned: z.boolean().optional() })),
});

describe('one host and no registry anywhere', () => {
  let setting: BareSetting;
  let release: PackedRelease;
  let site: string;
  let first: Outcome;
  /** As the app is reached here: at the one host. */
  let lab: Lab;

  const install = (...args: string[]): Promise<Outcome> =>
    setting.deliver(['install', release.bundle, '--site', site, '--yes', ...args]);
  const plan = (): Promise<Outcome> => setting.deliver(['plan', release.bundle, '--site', site]);

  beforeAll(async () => {
    setting = await prepareBare();
    const [address = ''] = setting.lab.ingress.addresses;
    lab = { ...setting.lab, ingress: { ...setting.lab.ingress, addresses: [address] } };
    release = await packBare(setting, { kubernetes: 'v1.34.4' });
    site = await writeBareSite(setting, 'edge', { controlPlanes: ['cp1'], workers: ['cp1'], registry: 'none' });
  }, 900_000);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it('is told before what that means, and becomes a cluster with the app answering', async () => {
    const planned = await plan();
    expect(planned.code, planned.text).toBe(0);
    expect(planned.words).toContain('no registry: each node keeps what it pulls through this machine');
    first = await install('--json');
    expect(first.code, first.text).toBe(0);
    await keepFigures('bare install without a registry, milliseconds', stepTimes(first));
    expect(await nodesOf(lab, 'cp1')).toEqual(NODES);
    expect(await gatekeeperAnswers(lab)).toMatchObject([{ app: 'gatekeeper', version: 'v362' }]);
  }, 900_000);

  it('keeps every image that runs there out of the kubelet’s clean-up', async () => {
    const { images } = Images.parse(JSON.parse(await onHost(lab, 'cp1', '/usr/local/bin/crictl images -o json')));
    const pinned = new Set(images.filter((image) => image.pinned === true).flatMap(({ repoTags }) => repoTags));
    const jsonpath =
      'jsonpath={range .items[*]}{range .spec.containers[*]}{.image}{"\\n"}{end}{range .spec.initContainers[*]}{.image}{"\\n"}{end}{end}';
    const running = (await kubectlOn(lab, 'cp1', 'get', 'pods', '-A', '-o', jsonpath)).trim().split('\n');
    expect(running.length).toBeGreaterThan(5);
    const named = new Set(running.map((image) => (/^[^/]*[.:][^/]*\//.test(image) ? image : `docker.io/library/${image}`)));
    expect([...named].filter((image) => !image.includes('@') && !pinned.has(image))).toEqual([]);
  });

  it('installed again, pulls and changes nothing, in less than a minute', async () => {
    const began = performance.now();
    const again = await install();
    const milliseconds = Math.round(performance.now() - began);
    expect(again.code, again.text).toBe(0);
    expect(again.words).toContain('nothing was changed');
    await keepFigures('the same install again without a registry, milliseconds', milliseconds);
    expect((await plan()).words).toContain('Nothing to do');
  });

  it('leaves no way open: nothing of the pulls lies there, and what it does not hold is refused at once', async () => {
    expect(await onHost(lab, 'cp1', 'ls -d /run/deliver-images.* 2>/dev/null || true')).toBe('');
    expect(await onHost(lab, 'cp1', 'cat /etc/containerd/certs.d/registry.k8s.io/hosts.toml')).toContain('http://127.0.0.1:1"');
    const pull = 'timeout 20 /usr/local/bin/crictl pull registry.k8s.io/nothing:1 2>&1; echo " code $?"';
    expect(await onHost(lab, 'cp1', pull)).toMatch(/refused[^]* code 1/);
  });

  it('starts a pod again that was deleted, and everything after a power cut, with nobody to ask', async () => {
    await kubectlOn(lab, 'cp1', 'delete', 'pod', '-n', 'project', '-l', 'app=gatekeeper', '--timeout=120s');
    expect(await gatekeeperAnswers(lab)).toMatchObject([{ app: 'gatekeeper' }]);
    power('cp1', 'off');
    power('cp1', 'on');
    const ready = '/usr/local/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get --raw /readyz';
    await onHost(lab, 'cp1', `for i in $(seq 120); do ${ready} >/dev/null 2>&1 && exit 0; sleep 1; done; exit 1`);
    // Leaders are elected anew, and the app waits for its names.
    expect(await gatekeeperAnswers(lab, 120)).toMatchObject([{ app: 'gatekeeper', version: 'v362' }]);
  }, 600_000);

  it('asked nothing of the world outside', () => {
    expect(escapes()).toBe(0);
  });
});
