import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { imagesByTable } from '../../src/lock/component-image-table.ts';
import { listImagesWith } from '../../src/lock/component-kubeadm.ts';
import { lockPath, readLock } from '../../src/lock/lock-file.ts';
import { proveClosed } from '../../src/lock/prove-closed.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { onConnectedSide, REPOSITORY } from './support/deliver.ts';
import { readLab } from './support/lab.ts';

const SAMPLE = '127.0.0.1:5581';

/** host:port of a web server with programs as upstream publishes them; only a lab of bare hosts has one. */
const server = process.env['DELIVER_LAB_COMPONENTS'] ?? readLab().components;

describe.skipIf(server === undefined)('a release of bare hosts, from programs as upstream publishes them', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'deliver-e2e-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it.each(['v1.33.13', 'v1.34.4'])('the table knows what the real kubeadm %s says', async (version) => {
    const files = createFileSource();
    const source = `http://${server ?? ''}/dl.k8s.io/release/${version}/bin/linux/amd64/kubeadm`;
    const kubeadm = { name: 'kubeadm', title: 'kubeadm', source, ...(await files.measure(source)) };
    expect([...(await listImagesWith(kubeadm, version, files))].sort()).toEqual([...(imagesByTable(version) ?? [])].sort());
  });

  it('resolves and packs the sample, closed and the same to the byte when it is resolved again', async () => {
    await cp(path.join(REPOSITORY, 'manifests'), folder, { recursive: true });
    const release = path.join(folder, 'bare-site.yaml');
    await writeFile(release, (await readFile(release, 'utf8')).replaceAll(SAMPLE, server ?? ''));
    const resolved = await onConnectedSide(['resolve', release]);
    expect(resolved.code, resolved.text).toBe(0);
    const lock = await readLock(lockPath(release));
    expect(lock.images.map(({ reference }) => reference)).toEqual(expect.arrayContaining([...(imagesByTable('v1.34.4') ?? [])]));
    expect(lock.files.filter(({ name }) => name.startsWith('manifests/')).map(({ title }) => title)).toEqual([
      'flannel.yaml',
      'local-path.yaml',
      'traefik.yaml',
      'coredns-nip-io.yaml',
    ]);
    expect((await onConnectedSide(['resolve', release, '--check'])).words).toContain('is up to date');
    const packed = await onConnectedSide(['pack', release, '--output', folder]);
    expect(packed.code, packed.text).toBe(0);
    const bundle = await openBundle(path.join(folder, 'bare-site-1.34.4.tar'));
    await bundle.close();
    expect(proveClosed(bundle.lock).images).toBe(lock.images.length);
    const verified = await onConnectedSide(['verify', bundle.path, '--allow-unsigned']);
    expect(verified.code, verified.text).toBe(0);
  });
});
