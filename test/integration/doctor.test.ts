import { hostname } from 'node:os';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { SILENT } from '../../src/core/report.ts';
import type { DoctorResult } from '../../src/flows/doctor.ts';
import { SiteSchema, type Site } from '../../src/manifest/site-schema.ts';
import { sizesOf } from '../../src/site/check/budget.ts';
import { buildNeeds } from '../../src/site/check/duties.ts';
import { preflightHosts } from '../../src/site/check/preflight.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import { buildRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { freePort, startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';

const missing = whyNoSshd();
const signal = new AbortController().signal;

describeUnless(missing, 'doctor over a real sshd', () => {
  let sshd: Sshd;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-doctor-'));
    sshd = await startSshd();
  });
  afterAll(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** This machine three times: what must be unique is not. */
  const siteOf = (dead: number): Site =>
    SiteSchema.parse({
      apiVersion: 'deliver/v1',
      kind: 'Site',
      metadata: { name: 'plant-7' },
      hosts: [sshd.host('cp1'), sshd.host('w1'), { ...sshd.host('gone'), port: dead }],
      roles: { 'control-plane': ['cp1'], worker: ['w1', 'gone'] },
      network: { plugin: 'flannel', pods: '10.244.0.0/16', services: '10.244.128.0/20' },
    });

  it('asks every host everything in one round trip, and finds what is wrong among them', async () => {
    const site = siteOf(await freePort());
    const connector = createConnector({
      hosts: site.hosts ?? [],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => {
        throw new Error('no secret is needed');
      },
    });
    try {
      const build = buildNeeds(site, undefined, undefined, new Set());
      const needs = { nodes: ['cp1', 'w1', 'gone'], platforms: [], imageBytes: 0, build };
      const checks = await preflightHosts(connector, site.hosts ?? [], needs, SILENT, signal);
      const of = (host: string): Record<string, string> =>
        Object.fromEntries(checks.filter((check) => check.host === host).map(({ id, outcome }) => [id, outcome]));
      expect(of('gone')).toEqual({ ssh: 'fail' });
      for (const id of [
        'os',
        'cpu',
        'memory',
        'cgroup',
        'swap',
        'modules',
        'sysctl',
        'disk',
        'mounts',
        'ports',
        'routes',
        'leftovers',
        'oom',
      ])
        expect(of('w1')).toHaveProperty(id);
      expect(checks.find(({ id }) => id === 'os')?.found).toBeTruthy();
      expect(checks.find(({ id, outcome }) => id === 'hostname' && outcome === 'fail')?.found).toBe(
        `cp1, w1 all call themselves ${hostname()}`,
      );
      expect(checks.find(({ id }) => id === 'cidr')).toMatchObject({
        outcome: 'fail',
        found: expect.stringContaining('overlap') as string,
      });
    } finally {
      await connector.close();
    }
  });

  it('as a command shows what failed at 80 columns, tells programs the same, and ends with 6', async () => {
    const path = join(folder, 'site.yaml');
    writeFileSync(path, JSON.stringify(siteOf(await freePort())));
    const shown = await deliver(['doctor', '--site', path]);
    expect(shown.exitCode, shown.stderr).toBe(6);
    const lines = shown.stdout.split('\n');
    expect(lines.filter((line) => line.length > 80 && line.includes(' ') && !/\S{70}/.test(line))).toEqual([]);
    expect(shown.stdout).toContain('✖ gone  1 check, 1 failed');
    expect(shown.stdout).toContain('An install would be refused');
    const told = await deliver(['doctor', '--site', path, '--json']);
    expect(told.exitCode).toBe(6);
    const last = JSON.parse(told.stdout.trim().split('\n').at(-1) ?? '') as { event: string; result: DoctorResult };
    expect(last.result.failed).toBeGreaterThan(1);
    expect(last.result.checks.find(({ id }) => id === 'ssh')?.host).toBe('cp1');
  });

  it('knows from the bundle how large images are when they are unpacked', async () => {
    const layer = gzipSync(Buffer.alloc(5_000_000, 'deliver '));
    const { lock, content } = buildRelease({
      images: [
        { reference: 'registry.k8s.io/pause:3.10', layers: [layer], neededBy: ['kubernetes v1.34.4'] },
        { reference: 'docker.io/library/app:1', layers: [Buffer.alloc(1000, 'x')], neededBy: ['app web'] },
      ],
    });
    const images = lock.images.map((image) => ({
      ...image,
      blobs: image.blobs.map((blob) =>
        blob.size === layer.length ? { ...blob, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' } : blob,
      ),
    }));
    const path = join(folder, 'sizes.tar');
    await writeBundle(planBundle({ ...lock, images }, []), path, new MemoryOrigins(content));
    const bundle = await openBundle(path);
    try {
      const sizes = await sizesOf(bundle, undefined, signal);
      const configs = images.flatMap(({ blobs }) => blobs).filter(({ mediaType }) => mediaType.includes('config'));
      const small = configs.reduce((sum, { size }) => sum + size, 0);
      expect(sizes.images.all).toBe(layer.length + 5_000_000 + 2000 + small);
      expect(sizes.images.controlPlane).toBeLessThan(sizes.images.all - 2000);
      expect(sizes.registry).toBe(layer.length + 1000 + small);
      const none = await sizesOf(bundle, new Set(), signal);
      expect(none.images.all).toBe(0);
    } finally {
      await bundle.close();
    }
  });
});
