import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { resolveRelease } from '../../../src/lock/resolve-release.ts';
import type { LoadedRelease } from '../../../src/manifest/load-release.ts';
import { createFileSource } from '../../../src/store/file-source.ts';
import { buildImage } from '../../support/images.ts';
import { memorySource } from '../../support/memory-source.ts';
import { app, loadedRelease } from '../../support/releases.ts';

const files = createFileSource();
const web = buildImage({ seed: 'web' });
const tool = buildImage({ seed: 'tool' });

describe('resolving a release', () => {
  it('locks every image once, with every place that needs it', async () => {
    const loaded = await loadedRelease({
      versions: { web: '1' },
      images: ['busybox'],
      apps: [
        app({ image: 'example.org/web:${versions.web}', initContainers: [{ name: 'init', image: 'busybox:latest' }] }),
        app({ name: 'b', sidecars: [{ name: 's', image: 'docker.io/library/busybox' }] }),
      ],
    });
    const source = memorySource({ 'example.org/web:1': web, busybox: tool });
    const lock = await resolveRelease(loaded, { images: source, files });
    expect(lock.images.map(({ reference, neededBy }) => [reference, neededBy])).toEqual([
      ['example.org/web:1', ['app web', 'app b']],
      ['docker.io/library/busybox:latest', ['app web, initContainers[0]', 'app b, sidecars[0]', 'images[0]']],
    ]);
    expect(lock.release.apps?.[0]?.image).toBe('example.org/web:1');
    expect(source.asked.filter((line) => line.startsWith('manifest'))).toHaveLength(2);
  });

  it('locks the release’s files and those that apps mount', async () => {
    const loaded = await loadedRelease(
      { files: [{ name: 'runbook', path: './docs/run.pdf' }], apps: [app({ files: { '/etc/web/app.yaml': './app.yaml' } })] },
      { 'docs/run.pdf': 'pdf', 'app.yaml': 'a: 1\n' },
    );
    const lock = await resolveRelease(loaded, { images: memorySource({ 'example.org/web:1': web }), files });
    expect(lock.files).toEqual([
      { name: 'runbook', title: 'run.pdf', source: './docs/run.pdf', digest: digestOf('pdf'), size: 3 },
      { name: 'apps/web/etc/web/app.yaml', title: 'app.yaml', source: './app.yaml', digest: digestOf('a: 1\n'), size: 5 },
    ]);
  });

  it('refuses a file that is not what the release says', async () => {
    const loaded = await loadedRelease({ files: [{ name: 'f', path: './f', sha256: '0'.repeat(64) }] }, { f: 'x' });
    await expect(resolveRelease(loaded, { images: memorySource({}), files })).rejects.toThrowWithCode('E_DIGEST', digestOf('x'));
  });

  it('names everything that can’t be resolved, not only the first', async () => {
    const loaded = await loadedRelease({ apps: [app()], images: ['a.org/b:1'], files: [{ name: 'f', path: './none' }] });
    const failure = resolveRelease(loaded, { images: memorySource({}), files });
    await expect(failure).rejects.toThrowWithCode(
      'E_SOURCE_NOT_FOUND',
      'example.org/web:1 is not there.  (needed by app web)  [E_SOURCE_NOT_FOUND]',
    );
    await expect(failure).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', '3 of 3 things of this release');
    await expect(failure).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', '[E_FILE_NOT_FOUND]');
  });

  it('says of a single failure who needs it', async () => {
    const loaded = await loadedRelease({ apps: [app()] });
    await expect(resolveRelease(loaded, { images: memorySource({}), files })).rejects.toThrowWithCode(
      'E_SOURCE_NOT_FOUND',
      'needed by app web',
    );
  });

  it('does not trust an earlier lock for other platforms', async () => {
    const text = `example.org/web@${web.descriptor.digest}`;
    const ports = { images: memorySource({ [text]: web }), files };
    const previous = await resolveRelease(await loadedRelease({ images: [text] }), ports);
    const other = await loadedRelease({ images: [text], platforms: ['linux/arm64'] });
    await expect(resolveRelease(other, ports, { previous })).rejects.toThrowWithCode('E_PLATFORM');
  });

  it('reports progress for each thing, and stops when told to', async () => {
    const loaded = await loadedRelease({ apps: [app()], images: ['busybox:1'] });
    const ports = { images: memorySource({ 'example.org/web:1': web, 'busybox:1': tool }), files };
    const seen: string[] = [];
    await resolveRelease(loaded, ports, { onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(seen).toEqual(['1/2', '2/2']);
    await expect(resolveRelease(loaded, ports, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });

  it('is the same lock each time, whatever order the answers come in', async () => {
    const loaded: LoadedRelease = await loadedRelease({ images: Array.from({ length: 20 }, (_, at) => `a.org/i${at}:1`) });
    const images = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`a.org/i${at}:1`, buildImage({ seed: String(at) })]),
    );
    const first = await resolveRelease(loaded, { images: memorySource(images), files });
    expect(JSON.stringify(await resolveRelease(loaded, { images: memorySource(images), files }))).toBe(JSON.stringify(first));
  });
});
