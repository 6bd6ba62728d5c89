import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { SILENT, type Report } from '../../src/core/report.ts';
import { packFlow, type PackInput, type PackPorts, type PackResult } from '../../src/flows/pack.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { bundleBytes, buildRelease } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { buildImage, noise } from '../support/images.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { memorySource, type MemorySource } from '../support/memory-source.ts';
import { releaseText } from '../support/releases.ts';
import { runFlow } from '../support/run-flow.ts';

const APP = 'dockerhub.kubekey.local/project/app';
const shared = [noise(900_000, 'one'), noise(900_000, 'two')];
const one = buildImage({ seed: 'v1', layers: [...shared, 60_000] });
const two = buildImage({ seed: 'v2', layers: [...shared, 50_000] });

interface Scene {
  readonly folder: string;
  readonly images: MemorySource;
  pack(version: string, more?: Partial<PackInput>, report?: Report): Promise<PackResult>;
}

/** A release that is packed at one version after the other into one folder. */
async function scene(): Promise<Scene> {
  const folder = await folderWith();
  const images = memorySource({ [`${APP}:v1`]: one, [`${APP}:v2`]: two });
  const ports: PackPorts = {
    images: () => images,
    files: () => createFileSource(),
    askPassphrase: () => Promise.reject(new Error('nobody should be asked')),
  };
  return {
    folder,
    images,
    async pack(version, more = {}, report = SILENT) {
      const releasePath = join(folder, `suite-${version}.yaml`);
      await writeFile(
        releasePath,
        releaseText({ metadata: { name: 'suite', version }, images: [`${APP}:v${version[0] ?? ''}`] }),
      );
      return runFlow(packFlow({ releasePath, outputFolder: join(folder, 'bundles'), ...more }, ports), { report });
    },
  };
}

const blobsAsked = ({ images }: Scene): string[] => images.asked.filter((line) => line.startsWith('blob '));

it('takes what an earlier bundle in the output folder holds from there, and downloads only the rest', async () => {
  const made = await scene();
  const first = await made.pack('1.0.0');
  expect(first.fetched).toMatchObject({ nearBlobs: 0, nearFrom: '' });
  made.images.asked.length = 0;
  const details: string[] = [];
  const second = await made.pack(
    '2.0.0',
    { concurrency: 1 },
    { progress: ({ detail = '' }) => details.push(detail), note: () => undefined },
  );
  // Resolving asks for the config once; packing for config and new layer.
  const layer = [...two.blobs.keys()].at(-1) ?? '';
  expect(blobsAsked(made).filter((line) => line.endsWith(layer))).toHaveLength(1);
  for (const bytes of shared) expect(blobsAsked(made).join()).not.toContain(digestIn(two.blobs, bytes));
  expect(second.fetched).toMatchObject({
    nearBlobs: 2,
    nearBytes: 1_800_000,
    nearFrom: expect.stringContaining('suite-1.0.0.tar') as string,
  });
  expect(second.fetched.fetchedBytes).toBeLessThan(second.size / 10);
  expect(details.at(-1)).toMatch(/1\.8 MB taken from .*suite-1\.0\.0\.tar/);
  const elsewhere = await scene();
  expect((await readFile(second.path)).equals(await readFile((await elsewhere.pack('2.0.0')).path))).toBe(true);
});

it('downloads what an earlier bundle holds damaged', async () => {
  const made = await scene();
  const first = await made.pack('1.0.0');
  const bundle = await openBundle(first.path);
  await bundle.close();
  const victim = bundle.blobs.get(digestIn(two.blobs, shared[0] ?? Buffer.alloc(0)));
  const bytes = await readFile(first.path);
  bytes.writeUInt8(bytes.readUInt8((victim?.offset ?? 0) + 1000) ^ 1, (victim?.offset ?? 0) + 1000);
  await writeFile(first.path, bytes);
  const second = await made.pack('2.0.0');
  expect(second.fetched).toMatchObject({ nearBlobs: 1, nearBytes: 900_000 });
  await runFlow(verifyFlow({ bundlePath: second.path, trust: [], allowUnsigned: true }));
});

it('takes blobs from a bundle that was named, and refuses one that is none', async () => {
  const made = await scene();
  const first = await made.pack('1.0.0', { outputFolder: join(made.folder, 'archive') });
  const second = await made.pack('2.0.0', { reuse: [first.path] });
  expect(second.fetched.nearBytes).toBe(1_800_000);
  await writeFile(join(made.folder, 'other.tar'), 'not a bundle');
  await writeFile(second.path, '');
  await expect(made.pack('2.0.0', { reuse: [join(made.folder, 'other.tar')] })).rejects.toThrowWithCode('E_BUNDLE', 'other.tar');
});

it('passes over whatever else lies in the output folder', async () => {
  const made = await scene();
  await mkdir(join(made.folder, 'bundles', 'folder.tar'), { recursive: true });
  await writeFile(join(made.folder, 'bundles', 'empty.tar'), '');
  await writeFile(join(made.folder, 'bundles', 'photos.tar'), Buffer.alloc(5000, 1));
  expect(await made.pack('1.0.0')).toMatchObject({ outcome: 'written', fetched: { nearBlobs: 0 } });
});

it('fetches a tenth of the blobs when nine tenths lie in an earlier bundle', async () => {
  const image = (at: number, seed: string) => ({
    reference: `docker.io/library/i${String(at)}:1`,
    layers: [noise(100_000, seed)],
  });
  const release = (version: string) =>
    buildRelease({
      version,
      images: Array.from({ length: 20 }, (_, at) => image(at, at < 18 ? `layer ${String(at)}` : `${version} ${String(at)}`)),
    });
  const [before, after] = [release('1'), release('2')];
  const folder = await folderWith();
  await writeBundle(planBundle(before.lock, []), join(folder, 'suite-1.tar'), new MemoryOrigins(before.content));
  const origins = new MemoryOrigins(after.content);
  const plan = planBundle(after.lock, []);
  const { fetched } = await writeBundle(plan, join(folder, 'suite-2.tar'), origins, { near: { folder } });
  expect(fetched).toMatchObject({ fetchedBlobs: 4, nearBlobs: 56 });
  expect(origins.opened).toHaveLength(4);
  expect((await readFile(join(folder, 'suite-2.tar'))).equals(bundleBytes(plan, after.content))).toBe(true);
});

it('goes on after it was stopped while copying, to the same bytes', async () => {
  const release = (version: string) =>
    buildRelease({
      version,
      images: [{ reference: 'docker.io/library/big:1', layers: [1, 2, 3, 4].map((at) => noise(9_000_000, `big ${String(at)}`)) }],
    });
  const [before, after] = [release('1'), release('2')];
  const folder = await folderWith();
  await writeBundle(planBundle(before.lock, []), join(folder, 'suite-1.tar'), new MemoryOrigins(before.content));
  const plan = planBundle(after.lock, []);
  const stop = new AbortController();
  const report: Report = {
    progress: ({ done }) => {
      if (done > 10_000_000) stop.abort();
    },
    note: () => undefined,
  };
  const target = join(folder, 'suite-2.tar');
  const options = { near: { folder }, concurrency: 1 };
  await expect(
    writeBundle(plan, target, new MemoryOrigins(after.content), { ...options, report, signal: stop.signal }),
  ).rejects.toThrowWithCode('E_INTERRUPTED');
  const origins = new MemoryOrigins(after.content);
  const { fetched } = await writeBundle(plan, target, origins, options);
  expect(fetched.keptBlobs).toBeGreaterThan(0);
  expect(origins.opened).toEqual([]);
  expect((await readFile(target)).equals(bundleBytes(plan, after.content))).toBe(true);
});

it('packs a delta on a lock or a bundle, small, and verify says what it builds on', async () => {
  const made = await scene();
  const first = await made.pack('1.0.0');
  const [byBundle, byLock] = [
    await made.pack('2.0.0', { since: first.path }),
    await made.pack('2.0.0', { since: join(made.folder, 'suite-1.0.0.lock.yaml'), outputFolder: join(made.folder, 'other') }),
  ];
  expect(byBundle).toMatchObject({ base: { name: 'suite', version: '1.0.0', root: first.root, blobs: 2, bytes: 1_800_000 } });
  expect(byBundle.path).toBe(join(made.folder, 'bundles', 'suite-2.0.0-since-1.0.0.tar'));
  expect(byBundle.size).toBeLessThan(first.size / 5);
  expect((await readFile(byBundle.path)).equals(await readFile(byLock.path))).toBe(true);
  expect((await made.pack('2.0.0')).root).toBe(byBundle.root);
  const verified = await runFlow(verifyFlow({ bundlePath: byBundle.path, trust: [], allowUnsigned: true }));
  expect(verified.base).toEqual(byBundle.base);
  expect(await made.pack('2.0.0', { since: first.path })).toMatchObject({ outcome: 'unchanged' });
});

it('asks nobody when the base is no lock, no bundle and no whole receipt', async () => {
  const made = await scene();
  await writeFile(join(made.folder, 'plant-7.json'), '{"kind":"Receipt"}');
  await expect(made.pack('1.0.0', { since: join(made.folder, 'nowhere.tar') })).rejects.toThrowWithCode('E_FILE_NOT_FOUND');
  await expect(made.pack('1.0.0', { since: join(made.folder, 'suite-1.0.0.yaml') })).rejects.toThrowWithCode('E_SCHEMA');
  await expect(made.pack('1.0.0', { since: join(made.folder, 'plant-7.json') })).rejects.toThrowWithCode('E_RECEIPT');
  expect(made.images.asked).toEqual([]);
});

function digestIn(blobs: ReadonlyMap<string, Uint8Array>, bytes: Uint8Array): never {
  return [...blobs].find(([, content]) => Buffer.from(content).equals(bytes))?.[0] as never;
}
