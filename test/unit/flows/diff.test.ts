import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NO_STYLE } from '../../../src/cli/style.ts';
import { viewDiff } from '../../../src/cli/views/diff.ts';
import { diffReleases, type DiffResult } from '../../../src/flows/diff.ts';
import { baseOfLock } from '../../../src/bundle/base-of-lock.ts';
import { deltaSince } from '../../../src/bundle/delta.ts';
import { planBundle } from '../../../src/bundle/plan.ts';
import { lockText } from '../../../src/lock/lock-file.ts';
import { bundleBytes, buildRelease, type ReleaseSpec } from '../../support/bundles.ts';
import { folderWith } from '../../support/files.ts';
import { noise } from '../../support/images.ts';
import { suiteVersion } from '../../support/versions.ts';

const old = suiteVersion('3.6.1');
const next = suiteVersion('3.6.2');

async function files(): Promise<{ old: string; next: string; bundle: string }> {
  const folder = await folderWith({
    'old.lock.yaml': lockText(old.lock),
    'next.lock.yaml': lockText(next.lock),
    'old.tar': bundleBytes(planBundle(old.lock, []), old.content),
  });
  return { old: join(folder, 'old.lock.yaml'), next: join(folder, 'next.lock.yaml'), bundle: join(folder, 'old.tar') };
}

it('says what came, went and changed, and what a delta is to carry, to the byte', async () => {
  const paths = await files();
  const result = await diffReleases(paths.old, paths.next);
  expect(result.images.map(({ change, name }) => [change, name])).toEqual([
    ['added', 'docker.io/library/proxy'],
    ['changed', 'dockerhub.kubekey.local/project/gatekeeper'],
    ['removed', 'quay.io/old/sync'],
  ]);
  expect(result.images[1]).toMatchObject({ before: { version: 'v361' }, after: { version: 'v362' } });
  expect(result.files).toMatchObject([{ change: 'changed', name: 'runbook' }]);
  expect(result).toMatchObject({ charts: [], unchanged: 3, from: { version: '3.6.1' }, to: { version: '3.6.2' } });
  const delta = planBundle(next.lock, [], deltaSince(next.lock, baseOfLock(old.lock)));
  expect(result.delta).toEqual({ size: delta.size, leftOutBlobs: 3, leftOutBytes: 620_000 + (configOf(delta) ?? 0) });
  expect(result.full.size).toBe(planBundle(next.lock, []).size);
});

it('takes a bundle for its lock', async () => {
  const paths = await files();
  const [byBundle, byLock] = [await diffReleases(paths.bundle, paths.next), await diffReleases(paths.old, paths.next)];
  expect({ ...byBundle, from: undefined }).toEqual({ ...byLock, from: undefined });
});

it('reads well in 80 columns', async () => {
  const paths = await files();
  const shown = viewDiff(named(await diffReleases(paths.old, paths.next)), { style: NO_STYLE, width: 80 });
  expect(shown.filter((line) => line.length > 80)).toEqual([]);
  expect(shown.join('\n')).toMatchInlineSnapshot(`
    "gatekeeper-suite 3.6.1 → 3.6.2
      3 images, charts and files are unchanged

    Images (3)
      +  docker.io/library/proxy                     2            5.7 KB
      ~  dockerhub.kubekey.local/project/gatekeeper  v361 → v362   31 KB
      -  quay.io/old/sync                            1

    Files (1)
      ~  runbook  other content  14 B

    To carry
      a delta    152 KB  3 blobs, 620 KB stay out
      the whole  774 KB
      deliver pack RELEASE --since old.lock.yaml"
  `);
  const same = viewDiff(named(await diffReleases(paths.old, paths.bundle)), { style: NO_STYLE, width: 80 });
  expect(same.join('\n')).toMatchInlineSnapshot(`
    "gatekeeper-suite 3.6.1 → 3.6.1
      the same release: same root"
  `);
});

it('pairs versions of one repository only where there is no doubt', async () => {
  const tool = (tag: string, seed = tag): NonNullable<ReleaseSpec['images']>[number] => ({
    reference: `docker.io/library/tool:${tag}`,
    layers: [noise(100, seed)],
  });
  const diff = async (before: readonly (readonly string[])[], after: readonly (readonly string[])[]): Promise<string[]> => {
    const text = (tags: readonly (readonly string[])[]): string =>
      lockText(buildRelease({ images: tags.map(([tag = '', seed]) => tool(tag, seed)) }).lock);
    const folder = await folderWith({ 'a.lock.yaml': text(before), 'b.lock.yaml': text(after) });
    const { images } = await diffReleases(join(folder, 'a.lock.yaml'), join(folder, 'b.lock.yaml'));
    return images.map((item) => `${item.change} ${item.before?.version ?? ''}>${item.after?.version ?? ''}`);
  };
  expect(await diff([['1'], ['2']], [['2'], ['3']])).toEqual(['changed 1>3']);
  expect(await diff([['1'], ['2']], [['3'], ['4']])).toEqual(['added >3', 'added >4', 'removed 1>', 'removed 2>']);
  expect(await diff([['1']], [['2'], ['3']])).toEqual(['added >2', 'added >3', 'removed 1>']);
  expect(await diff([['1', 'a']], [['1', 'b']])).toEqual(['changed 1>1']);
});

function configOf({ delta }: ReturnType<typeof planBundle>): number | undefined {
  return delta?.omitted.find(({ mediaType }) => mediaType.includes('config'))?.size;
}

function named(result: DiffResult): DiffResult {
  return { ...result, from: { ...result.from, path: 'old.lock.yaml' }, to: { ...result.to, path: 'next.lock.yaml' } };
}
