import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf, parseDigest } from '../../../src/core/digest.ts';
import { contentSources } from '../../../src/lock/content-sources.ts';
import type { Lock } from '../../../src/lock/lock-schema.ts';
import { resolveRelease } from '../../../src/lock/resolve-release.ts';
import { gather } from '../../../src/lock/small-blob.ts';
import { createFileSource } from '../../../src/store/file-source.ts';
import { chartFiles } from '../../support/charts.ts';
import { buildImage, buildIndex } from '../../support/images.ts';
import { memorySource } from '../../support/memory-source.ts';
import { app, loadedRelease } from '../../support/releases.ts';

function digestsOf(lock: Lock): Set<string> {
  return new Set(
    [...JSON.stringify([lock.files, lock.charts, lock.images]).matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)].map(
      ([, digest]) => digest ?? '',
    ),
  );
}

describe('the sources of a lock’s content', () => {
  it('give the bytes of every digest in it', async () => {
    const arm64 = buildImage({ seed: 'arm', platform: { os: 'linux', architecture: 'arm64' } });
    const s390x = buildImage({ seed: 's', platform: { os: 'linux', architecture: 's390x' } });
    const ports = {
      images: memorySource({ 'example.org/web:1': buildIndex([buildImage(), arm64, s390x]) }),
      files: createFileSource(),
    };
    const charts = [{ name: 'demo', chart: './demo', namespace: 'p', values: ['./values.yaml'] }];
    const beside = {
      a: 'A',
      'values.yaml': 'x: 1\n',
      ...Object.fromEntries(Object.entries(chartFiles()).map(([path, text]) => [`demo/${path}`, text])),
    };
    const loaded = await loadedRelease(
      { platforms: ['linux/amd64', 'linux/arm64'], apps: [app({ files: { '/a': './a' } })], charts },
      beside,
    );
    const lock = await resolveRelease(loaded, ports);
    const sources = contentSources(lock, loaded.folder, ports);

    expect(lock.files.map(({ name }) => name)).toEqual(['apps/web/a', 'charts/demo/values-0']);
    expect(new Set(sources.keys())).toEqual(digestsOf(lock));
    for (const [digest, source] of sources) expect(digestOf(await gather(await source.open())), source.name).toBe(digest);

    await writeFile(join(loaded.folder, 'demo/values.yaml'), 'replicas: 2\n');
    const archive = sources.get(parseDigest(lock.charts[0]?.blobs[1]?.digest ?? ''));
    await expect(archive?.open()).rejects.toThrowWithCode('E_LOCK_STALE', 'was changed since the lock was made');
  });
});
