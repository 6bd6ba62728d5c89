import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { anApp } from '../support/apps.ts';
import { buildRelease, bundleBytes } from '../support/bundles.ts';
import { splitBundle } from '../support/carry.ts';
import { deliver } from '../support/cli.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import { whyNoKubernetes, type KubeApiServer } from '../support/kube-api.ts';
import { readOnlyMedium, type Medium } from '../support/read-only-medium.ts';

const IMAGE = 'docker.io/library/busybox:1.36';
const missing = process.getuid?.() === 0 ? await whyNoKubernetes() : 'only root may mount';
const { lock, content } = buildRelease({ name: 'suite', images: [{ reference: IMAGE, layers: [Buffer.from('suite')] }] });
const app = anApp({ name: 'nightly', namespace: 'default', kind: 'CronJob', schedule: '0 3 * * *', image: IMAGE });
const plan = planBundle({ ...lock, release: { ...lock.release, apps: [app] } }, []);

describeOnKube('a medium that is mounted read-only', { missing, timeout: 240_000 }, (started) => {
  let kube: KubeApiServer;
  let registry: MemoryRegistry;
  let folder: string;
  let sources: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deliver-read-only-'));
    ({ kube } = started());
    registry = await startMemoryRegistry();
    const bundle = join(folder, plan.fileName);
    await writeFile(bundle, bundleBytes(plan, content));
    sources = [bundle, await splitBundle(bundle, { parity: 1 })];
  }, 90_000);
  afterAll(async () => {
    await registry.close();
    await rm(folder, { recursive: true });
  }, 30_000);

  /** Runs verbs in a folder of the medium itself, as an operator does who has just mounted it. */
  const on = (medium: Medium, home: string) => (args: readonly string[]) =>
    deliver(args, medium.path, { HOME: home, XDG_STATE_HOME: join(home, 'state'), XDG_CACHE_HOME: join(home, 'cache') });

  test.for(['ext4', 'vfat'] as const)(
    'of %s is all that verify, inspect, push, plan and install need',
    async (kind, { skip }) => {
      const medium = await readOnlyMedium(kind, folder, sources);
      if (medium === undefined) {
        skip('the kernel does not know this file system, or lets nobody mount it');
        return;
      }
      try {
        const home = join(folder, `home-${kind}`);
        await mkdir(home);
        const run = on(medium, home);
        const site = join(home, 'site.yaml');
        await writeFile(join(home, 'kubeconfig.yaml'), kube.kubeconfig);
        await writeFile(
          site,
          `apiVersion: deliver/v1\nkind: Site\nmetadata: { name: ${kind} }\ncluster: { kubeconfig: ./kubeconfig.yaml }\nregistry: { host: "${registry.host}" }\n`,
        );
        const [bundle, set] = [plan.fileName, plan.fileName.replace(/tar$/, 'carry')];
        const before = await readdir(medium.path, { recursive: true });
        const trusting = ['--site', site, '--allow-unsigned'];
        for (const args of [
          ['verify', bundle, '--allow-unsigned'],
          ['verify', set, '--allow-unsigned'],
          ['inspect', set, '--html', join(home, 'page.html')],
          ['diff', bundle, set],
          ['split', bundle, '--volume-size', '1M', '--output', join(home, 'volumes')],
          ['push', set, '--to', `${registry.host}/mirror`, '--allow-unsigned'],
          ['plan', set, ...trusting],
          ['install', set, ...trusting, '--yes'],
          ['install', bundle, ...trusting, '--yes'],
        ]) {
          const { exitCode, stdout, stderr } = await run(args);
          expect([args[0], exitCode], stdout + stderr).toEqual([args[0], 0]);
        }
        expect(await readdir(medium.path, { recursive: true })).toEqual(before);
        const journal = await readFile(join(home, 'state/deliver/installs', `${kind}.suite.jsonl`), 'utf8');
        expect(journal.match(/"event":"done"/g)).toHaveLength(2);
        expect(registry.content.repositories.size).toBeGreaterThan(0);
      } finally {
        await medium.unmount();
      }
    },
  );

  test('is told to whoever wants to write on it, in words of what to do instead', async ({ skip }) => {
    const medium = await readOnlyMedium('ext4', await mkdtemp(join(folder, 'told-')), sources);
    if (medium === undefined) {
      skip('nothing may be mounted here');
      return;
    }
    try {
      const key = join(folder, 'key');
      expect((await deliver(['keygen', key])).exitCode).toBe(0);
      const run = on(medium, folder);
      const [bundle, set] = [plan.fileName, plan.fileName.replace(/tar$/, 'carry')];
      for (const [args, words] of [
        [['split', bundle, '--volume-size', '1M'], 'Choose another folder with --output'],
        [['sign', bundle, '--key', key], 'Copy the bundle to a folder that can be written'],
        [['sign', set, '--key', key], 'Copy the carry set to a folder that can be written'],
        [['watch', '.', '--once'], 'Watch a folder that can be written'],
      ] as const) {
        const { exitCode, stderr } = await run(args);
        expect([args[0], exitCode]).toEqual([args[0], 3]);
        expect(stderr.replace(/\s+/g, ' ')).toContain(words);
      }
      expect((await run(['repair', set])).exitCode).toBe(3);
    } finally {
      await medium.unmount();
    }
  });
});
