import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import type { Report } from '../../src/core/report.ts';
import { packFlow, type PackPorts, type PackResult } from '../../src/flows/pack.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { folderWith } from '../support/files.ts';
import { buildAttestation, buildImage, buildIndex } from '../support/images.ts';
import { memorySource, type MemorySource } from '../support/memory-source.ts';
import { releaseText } from '../support/releases.ts';
import { runFlow } from '../support/run-flow.ts';

const arm = { os: 'linux', architecture: 'arm64' };
const busybox = buildIndex([buildImage({ seed: 'amd' }), buildImage({ seed: 'arm', platform: arm }), buildAttestation()]);
const gatekeeper = buildImage({ seed: 'gatekeeper', layers: [5000, 200_000], docker: true });
const REFERENCE = 'dockerhub.kubekey.local/project/gatekeeper:v362';

interface Scene {
  readonly folder: string;
  readonly release: string;
  readonly images: MemorySource;
  readonly ports: PackPorts;
}

async function scene(fields: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  const text = releaseText({
    platforms: ['linux/amd64', 'linux/arm64'],
    images: ['busybox:1.36'],
    files: [{ name: 'runbook', path: './docs/runbook.pdf' }],
    charts: [{ name: 'web', chart: './charts/web', namespace: 'project' }],
    ...fields,
  });
  const folder = await folderWith({
    'suite.yaml': text,
    'docs/runbook.pdf': 'read me',
    'charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'charts/web/templates/x.yaml': 'a: b\n',
  });
  const images = memorySource({ 'busybox:1.36': busybox, [REFERENCE]: gatekeeper });
  const ports: PackPorts = {
    images: () => images,
    files: () => createFileSource(),
    askPassphrase: () => Promise.reject(new Error('nobody should be asked')),
  };
  return { folder, release: join(folder, 'suite.yaml'), images, ports };
}

const pack = ({ release, folder, ports }: Scene, more: { signKeyPaths?: string[] } = {}, report?: Report): Promise<PackResult> =>
  runFlow(packFlow({ releasePath: release, outputFolder: join(folder, 'bundles'), ...more }, ports), { report });

it('packs images, a made index, files and charts into one verified bundle', async () => {
  const made = await scene();
  const result = await pack(made);
  expect(result).toMatchObject({ outcome: 'written', release: 'suite', version: '1.0.0', signatures: 0 });
  expect(result.path).toBe(join(made.folder, 'bundles', 'suite-1.0.0.tar'));
  const verified = await runFlow(verifyFlow({ bundlePath: result.path, trust: [], allowUnsigned: true }));
  expect(verified.root).toBe(result.root);

  const bundle = await openBundle(result.path);
  const [image] = bundle.lock.images;
  expect(image).toMatchObject({ reference: 'docker.io/library/busybox:1.36', manifests: [{}, {}] });
  for (const child of image?.manifests ?? []) {
    const served = busybox.manifests.find(({ descriptor }) => descriptor.digest === child.digest);
    expect(Buffer.from(await bundle.bytes(child.digest)).equals(served?.bytes ?? new Uint8Array())).toBe(true);
  }
  await bundle.close();
});

it('writes the lock when there is none, and uses it as it is from then on', async () => {
  const made = await scene();
  const first = await pack(made);
  const lockFile = join(made.folder, 'suite.lock.yaml');
  const lock = await readFile(lockFile, 'utf8');
  made.images.put('busybox:1.36', buildImage({ seed: 'moved tag' }));
  made.images.asked.length = 0;
  const lines: string[] = [];
  const second = await pack(made, {}, { progress: () => undefined, note: (line) => void lines.push(line) });
  expect(second).toMatchObject({ outcome: 'unchanged', root: first.root });
  expect(made.images.asked).toEqual([]);
  expect(lines).toContain(`lock unchanged (${lockFile})`);
  expect(await readFile(lockFile, 'utf8')).toBe(lock);
});

it('resolves again when the release was changed, and says what is new', async () => {
  const made = await scene();
  const first = await pack(made);
  await writeFile(made.release, releaseText({ images: ['busybox:1.36', REFERENCE] }));
  const lines: string[] = [];
  const second = await pack(made, {}, { progress: () => undefined, note: (line) => void lines.push(line) });
  expect(second.root).not.toBe(first.root);
  expect(lines).toContain(`image ${REFERENCE}: not in the lock`);
});

it('gives the same bytes from the same lock, wherever it is packed', async () => {
  const [one, two] = [await pack(await scene()), await pack(await scene())];
  expect(one.path).not.toBe(two.path);
  expect((await readFile(one.path)).equals(await readFile(two.path))).toBe(true);
});

it('fails when a file is no longer what the lock says, and leaves no bundle', async () => {
  const made = await scene();
  await pack(made);
  await writeFile(join(made.folder, 'docs', 'runbook.pdf'), 'changed');
  await writeFile(join(made.folder, 'bundles', 'suite-1.0.0.tar'), '');
  await expect(pack(made)).rejects.toThrowWithCode(
    'E_DIGEST',
    /file runbook \(\.\/docs\/runbook\.pdf\)[\s\S]*expected[\s\S]*got[\s\S]*deliver resolve/,
  );
  expect(await readdir(join(made.folder, 'bundles'))).toContain('suite-1.0.0.tar.part');
});

it('names the image whose registry lost a blob', async () => {
  const made = await scene({ images: [REFERENCE], platforms: ['linux/amd64'] });
  const gone = [...gatekeeper.blobs.keys()].at(-1);
  const lossy = {
    locate: (reference: Parameters<MemorySource['locate']>[0]) => {
      const { reader, repository } = made.images.locate(reference);
      const blob: typeof reader.blob = async (path, digest) => reader.blob(digest === gone ? 'elsewhere' : path, digest);
      return { reader: { ...reader, blob }, repository };
    },
  };
  const work = pack({ ...made, ports: { ...made.ports, images: () => lossy } });
  await expect(work).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', `${REFERENCE}, blob ${gone ?? ''} can't be fetched`);
});

it('asks for nothing and writes nothing when the key can not sign', async () => {
  const made = await scene();
  await expect(pack(made, { signKeyPaths: [join(made.folder, 'nowhere')] })).rejects.toThrowWithCode('E_SIGN_KEY', 'ENOENT');
  expect(await readdir(made.folder)).not.toContain('bundles');
});
