import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { digestOf } from '../../src/core/digest.ts';
import { MEDIA } from '../../src/core/oci.ts';
import { SILENT, type Report } from '../../src/core/report.ts';
import { resolveFlow, type ResolveFlowPorts, type ResolveResult } from '../../src/flows/resolve.ts';
import { chartYamlOf } from '../../src/lock/chart-archive.ts';
import { helmArtifact } from '../../src/lock/helm-artifact.ts';
import { readLock } from '../../src/lock/lock-file.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { startMemoryRegistry, type MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { chartArchive, chartFiles } from '../support/charts.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { buildImage, buildIndex, type BuiltImage } from '../support/images.ts';
import { app, releaseText } from '../support/releases.ts';

const gatekeeper = buildImage({ seed: 'gatekeeper', layers: [5000, 3000] });
const arm64 = buildImage({ seed: 'busybox-arm', platform: { os: 'linux', architecture: 'arm64' } });
const busybox = buildIndex([buildImage({ seed: 'busybox' }), arm64]);

function seed(registry: MemoryRegistry, repository: string, tag: string, image: BuiltImage): void {
  for (const bytes of image.blobs.values()) registry.content.seedBlob(repository, Buffer.from(bytes));
  for (const { descriptor, bytes } of image.manifests)
    registry.content.seedManifest(repository, null, descriptor.mediaType, Buffer.from(bytes));
  registry.content.seedManifest(repository, tag, image.descriptor.mediaType, Buffer.from(image.bytes));
}

const ports: ResolveFlowPorts = {
  images: (sources, folder) => {
    const source = createImageSource(sources, {}, folder, { retry: { retries: 0, firstDelay: 1 } });
    onTestFinished(() => source.close());
    return source;
  },
  files: () => createFileSource({ firstDelay: 1 }),
};

interface Told {
  readonly result: ResolveResult;
  readonly summaries: string[];
  readonly notes: string[];
}

async function resolve(releasePath: string, check = false): Promise<Told> {
  const flow = resolveFlow({ releasePath, check }, ports);
  const summaries: string[] = [];
  const notes: string[] = [];
  const report: Report = { ...SILENT, note: (line) => void notes.push(line) };
  for (const step of flow.steps) summaries.push((await step.run(report, new AbortController().signal)).summary);
  return { result: flow.result(), summaries, notes };
}

describe('deliver resolve', () => {
  let registry: MemoryRegistry;
  let mirrors: object;

  beforeEach(async () => {
    registry = await startMemoryRegistry();
    seed(registry, 'dockerhub.kubekey.local/project/gatekeeper', 'v362', gatekeeper);
    seed(registry, 'docker.io/library/busybox', '1.36', busybox);
    mirrors = Object.fromEntries(
      ['docker.io', 'dockerhub.kubekey.local'].map((host) => [host, { mirror: `${registry.host}/${host}` }]),
    );
    return () => registry.close();
  });

  /** The sample release, with its registries replaced by ours. */
  async function sample(): Promise<string> {
    const text = (await readFile('manifests/gatekeeper-suite.yaml', 'utf8')).replaceAll('127.0.0.1:5580', registry.host);
    const folder = await folderWith({ 'suite.yaml': text, 'files/notice.html': await readFile('manifests/files/notice.html') });
    return join(folder, 'suite.yaml');
  }

  it('locks the sample release from its mirrors, under the names that its pods keep', async () => {
    const path = await sample();
    const { result, summaries } = await resolve(path);
    expect(result.lock.images.map(({ reference, digest }) => [reference, digest])).toEqual([
      ['dockerhub.kubekey.local/project/gatekeeper:v362', gatekeeper.descriptor.digest],
      ['docker.io/library/busybox:1.36', busybox.manifests[0]?.descriptor.digest],
    ]);
    expect(result.lock.files.map(({ name, title }) => [name, title])).toEqual([['apps/notice/www/index.html', 'index.html']]);
    expect(result.outcome).toBe('written');
    expect(await readLock(path.replace('.yaml', '.lock.yaml'))).toEqual(result.lock);
    expect(summaries).toEqual([
      'gatekeeper-suite 3.6.2',
      expect.stringMatching(/^2 images \(\d+ .?B\), 1 file \(\d+ B\)$/),
      '2 apps: every image of theirs is in the lock',
      result.lockPath,
    ]);
  });

  it('rewrites nothing when nothing changed, and downloads nothing again', async () => {
    const path = await sample();
    const { lockPath } = (await resolve(path)).result;
    const before = await stat(lockPath);
    registry.requests.length = 0;
    expect((await resolve(path)).result.outcome).toBe('unchanged');
    expect((await stat(lockPath)).ino).toBe(before.ino);
    expect(registry.requests.filter((request) => request.path.includes('/blobs/'))).toEqual([]);
    expect((await resolve(path, true)).summaries.at(-1)).toContain('unchanged');
  });

  it('says with --check what moved, and writes nothing', async () => {
    const path = await sample();
    const { lockPath } = (await resolve(path)).result;
    const text = await readFile(lockPath, 'utf8');
    const newer = buildImage({ seed: 'newer' });
    seed(registry, 'dockerhub.kubekey.local/project/gatekeeper', 'v362', newer);
    await expect(resolve(path, true)).rejects.toThrowWithCode(
      'E_LOCK_STALE',
      `${gatekeeper.descriptor.digest} → ${newer.descriptor.digest}`,
    );
    expect(await readFile(lockPath, 'utf8')).toBe(text);
    expect((await resolve(path)).result.outcome).toBe('written');
    await expect(resolve(await sample(), true)).rejects.toThrowWithCode('E_LOCK_MISSING');
  });

  it('makes a lock anew that was damaged by hand', async () => {
    const path = await sample();
    const { lockPath } = (await resolve(path)).result;
    const text = await readFile(lockPath, 'utf8');
    await appendFile(lockPath, 'oops: 1\n');
    await expect(resolve(path, true)).rejects.toThrowWithCode('E_SCHEMA', 'oops');
    expect((await resolve(path)).result.outcome).toBe('written');
    expect(await readFile(lockPath, 'utf8')).toBe(text);
  });

  it('notes an image that is not pinned to a version', async () => {
    seed(registry, 'docker.io/library/busybox', 'latest', busybox);
    const folder = await folderWith({
      'suite.yaml': releaseText({ sources: { registries: mirrors }, apps: [app({ image: 'busybox' })] }),
    });
    expect((await resolve(join(folder, 'suite.yaml'))).notes.join('\n')).toContain(
      'docker.io/library/busybox:latest (app web) is not pinned',
    );
  });

  it('leaves no lock behind when something is missing', async () => {
    const folder = await folderWith({
      'suite.yaml': releaseText({ images: [`${registry.host}/no/such:1`, `${registry.host}/nor/this:1`] }),
    });
    await expect(resolve(join(folder, 'suite.yaml'))).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', 'needed by images[1]');
    await expect(stat(join(folder, 'suite.lock.yaml'))).rejects.toThrow('ENOENT');
  });

  describe('charts', () => {
    const lockCharts = async (
      charts: object[],
      files: Readonly<Record<string, string>> = {},
    ): Promise<ResolveResult['lock']['charts']> => {
      const folder = await folderWith({ ...files, 'suite.yaml': releaseText({ charts }) });
      return (await resolve(join(folder, 'suite.yaml'))).result.lock.charts;
    };

    it('of a registry stay as the registry has them', async () => {
      const archive = await chartArchive();
      const made = helmArtifact(await chartYamlOf(archive, 'demo'), registry.content.seedBlob('charts/demo', archive) as never);
      for (const blob of made.blobs)
        if (blob.data !== undefined) registry.content.seedBlob('charts/demo', Buffer.from(blob.data, 'base64'));
      registry.content.seedManifest(
        'charts/demo',
        '1.2.3_build.1',
        MEDIA.manifest,
        Buffer.from(made.manifest.data ?? '', 'base64'),
      );

      const [chart] = await lockCharts([
        { name: 'demo', chart: `oci://${registry.host}/charts/demo`, version: '1.2.3+build.1', namespace: 'p' },
      ]);
      expect(chart).toMatchObject({
        digest: made.manifest.digest,
        reference: `${registry.host}/charts/demo:1.2.3_build.1`,
        version: '1.2.3+build.1',
      });
      expect(chart?.blobs.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
        made.blobs.map(({ digest, mediaType }) => [digest, mediaType]),
      );
      expect(chart?.data).toBeUndefined();
    });

    it('of a repository are found by version or range, and checked against its index', async () => {
      const archive = await chartArchive();
      const entry = (version: string, digest = digestOf(archive).slice(7)): object => ({
        version,
        urls: ['files/demo.tgz'],
        digest,
      });
      const index = stringify({
        entries: { demo: [entry('2.0.0'), entry('1.3.0', '0'.repeat(64)), entry('1.2.3'), entry('1.2.0')] },
      });
      const asked: string[] = [];
      const url = await startHttp((request, response) => {
        asked.push(request.url ?? '');
        response.end(request.url?.endsWith('index.yaml') === true ? index : archive);
      });
      const chart = { name: 'demo', chart: 'demo', repo: `${url}/Stable`, namespace: 'p' };

      const [exact] = await lockCharts([{ ...chart, version: '1.2.3' }]);
      expect(exact).toMatchObject({
        version: '1.2.3',
        source: `${url}/Stable/files/demo.tgz`,
        reference: `${url.slice(7)}/stable/demo:1.2.3`,
      });
      expect(exact?.blobs[1]).toEqual({ digest: digestOf(archive), size: archive.byteLength, mediaType: MEDIA.helmChart });
      expect(digestOf(Buffer.from(exact?.data ?? '', 'base64'))).toBe(exact?.digest);
      expect(asked).toEqual(['/Stable/index.yaml', '/Stable/files/demo.tgz']);
      expect((await lockCharts([{ ...chart, version: '~1.2.0' }]))[0]?.digest).toBe(exact?.digest);
      await expect(lockCharts([{ ...chart, version: '^1.0.0' }])).rejects.toThrowWithCode('E_DIGEST', '0'.repeat(64));
      await expect(lockCharts([{ ...chart, version: '9.9.9' }])).rejects.toThrowWithCode('E_CHART', 'it has 2.0.0, 1.3.0');
      await expect(lockCharts([{ ...chart, chart: 'other' }])).rejects.toThrowWithCode('E_CHART', 'no chart named other');
    });

    it('of a folder are the same digest every time', async () => {
      const files = Object.fromEntries(Object.entries(chartFiles()).map(([path, text]) => [`demo/${path}`, text]));
      const chart = { name: 'demo', chart: './demo', namespace: 'p' };
      const [first] = await lockCharts([chart], files);
      expect(first).toMatchObject({ version: '1.2.3', source: './demo', reference: 'charts.local/demo:1.2.3' });
      expect(await lockCharts([chart], files)).toEqual([first]);
      await expect(lockCharts([{ ...chart, version: '2.0.0' }], files)).rejects.toThrowWithCode(
        'E_CHART',
        'the release wants 2.0.0',
      );
      await expect(lockCharts([chart])).rejects.toThrowWithCode('E_FILE_NOT_FOUND', 'no Chart.yaml');
    });
  });

  it('reads a file from the web once, and not again while its sha256 is known', async () => {
    let requests = 0;
    const url = await startHttp((_, response) => {
      requests += 1;
      response.end('content');
    });
    const file = { name: 'tool', url: `${url}/v1/tool.bin`, sha256: digestOf('content').slice(7) };
    const path = join(await folderWith({ 'suite.yaml': releaseText({ files: [file] }) }), 'suite.yaml');
    expect((await resolve(path)).result.lock.files).toEqual([
      { name: 'tool', title: 'tool.bin', source: file.url, digest: digestOf('content'), size: 7 },
    ]);
    expect((await resolve(path)).result.outcome).toBe('unchanged');
    expect(requests).toBe(1);
    await writeFile(path, releaseText({ files: [{ ...file, sha256: 'a'.repeat(64) }] }));
    await expect(resolve(path)).rejects.toThrowWithCode('E_DIGEST', 'a'.repeat(64));
  });
});
