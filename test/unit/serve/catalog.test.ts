import { expect, it } from 'vitest';
import { planBundle } from '../../../src/bundle/plan.ts';
import type { Digest } from '../../../src/core/digest.ts';
import { catalogOf, type CatalogBundle } from '../../../src/serve/catalog.ts';
import { buildRelease, smallRelease, type TestRelease } from '../../support/bundles.ts';

/** What a catalog is made of, in memory; a delta leaves some blobs out. */
function bundleOf({ lock, content }: TestRelease, leftOut: readonly (Digest | undefined)[] = []): CatalogBundle {
  const plan = planBundle(lock, [{ armored: 'a signature' }]);
  const all = new Map(content);
  const blobs = new Map<Digest, { offset: number; size: number; mediaType: string }>();
  for (const { digest, offset, size, mediaType, content: bytes } of plan.members) {
    if (digest === undefined || mediaType === undefined || leftOut.includes(digest)) continue;
    blobs.set(digest, { offset, size, mediaType });
    if (bytes !== undefined) all.set(digest, bytes);
  }
  return { lock, root: plan.root, blobs, bytes: async (digest) => all.get(digest) ?? new Uint8Array() };
}

it('serves no image that would lack a part, and says which', async () => {
  const release = smallRelease();
  const { images, files } = release.lock;
  const { repositories, lacking } = await catalogOf(bundleOf(release, [images[0]?.blobs[2]?.digest, files[0]?.digest]));
  expect(lacking).toEqual(['docker.io/library/busybox:1.36', 'file runbook']);
  expect([...repositories.keys()]).toEqual([
    'charts/web',
    'dockerhub.kubekey.local/project/gatekeeper',
    'releases/gatekeeper-suite',
  ]);
});

it('keeps files apart whose names differ only in case', async () => {
  const files = ['Readme', 'readme', 'READ_ME.txt'].map((name) => ({ name, content: Buffer.from(name) }));
  const { repositories } = await catalogOf(bundleOf(buildRelease({ files })));
  const names = [...repositories.keys()].filter((name) => name.startsWith('files/'));
  expect(names).toEqual(['files/read_me.txt', 'files/readme', expect.stringMatching(/^files\/readme-x[0-9a-f]{12}$/)]);
  expect(new Set(names.flatMap((name) => [...(repositories.get(name)?.tags.values() ?? [])])).size).toBe(3);
});

it('names the hosts that nodes need a mirror for', async () => {
  const { sourceHosts } = await catalogOf(bundleOf(smallRelease()));
  expect(sourceHosts).toEqual(['docker.io', 'dockerhub.kubekey.local']);
});

it('gives a reference by digest alone a tag, so that it can be listed', async () => {
  const [image] = smallRelease().lock.images;
  const { lock, content } = smallRelease();
  const pinned = { ...lock, images: [{ ...lock.images[0], reference: `quay.io/a/b@${image?.digest ?? ''}` }] } as typeof lock;
  const { repositories } = await catalogOf(bundleOf({ lock: pinned, content }));
  expect([...(repositories.get('quay.io/a/b')?.tags ?? [])]).toEqual([[image?.digest.replace(':', '.'), image?.digest]]);
});
