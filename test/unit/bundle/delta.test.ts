import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { baseOfLock } from '../../../src/bundle/base-of-lock.ts';
import { claimedBase } from '../../../src/bundle/base-annotation.ts';
import { deltaSince, omittable } from '../../../src/bundle/delta.ts';
import { headerOf, planBundle, type BundlePlan } from '../../../src/bundle/plan.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { EMPTY_BLOB } from '../../../src/core/oci.ts';
import { buildRelease } from '../../support/bundles.ts';
import { noise } from '../../support/images.ts';
import { suiteVersion } from '../../support/versions.ts';

const old = suiteVersion('3.6.1').lock;
const { lock } = suiteVersion('3.6.2');
const delta = deltaSince(lock, baseOfLock(old));
const signature = { armored: '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n' };
const owners = (plan: BundlePlan): string[] => (plan.delta?.omitted ?? []).map((blob) => blob.owners[0] ?? '');

it('leaves out what the base has of images, and nothing else', () => {
  expect(owners(planBundle(lock, [], delta))).toEqual([
    'image docker.io/library/busybox:1.36, blob 1 of 3',
    'image docker.io/library/busybox:1.36, blob 2 of 3',
    'image docker.io/library/busybox:1.36, blob 3 of 3',
  ]);
});

it('has the root of the whole bundle, so that its signature is good for both', () => {
  const [full, part] = [planBundle(lock, [signature]), planBundle(lock, [signature], delta)];
  expect(part.root).toEqual(full.root);
  expect(part.rootBytes).toEqual(full.rootBytes);
  expect(part.fileName).toBe('gatekeeper-suite-3.6.2-since-3.6.1.tar');
  expect(full.size - part.size).toBeGreaterThan(600_000);
});

it('gives the same lock and base the same bytes, in whatever order the base names its digests', () => {
  const base = baseOfLock(old);
  const hashOf = (digests: Iterable<typeof EMPTY_BLOB.digest>): string => {
    const hash = createHash('sha256');
    for (const member of planBundle(lock, [signature], deltaSince(lock, { ...base, digests: new Set(digests) })).members)
      hash.update(headerOf(member)).update(member.content ?? member.digest ?? '');
    return hash.digest('hex');
  };
  expect(hashOf([...base.digests].reverse())).toBe(hashOf(base.digests));
});

it('moves nothing when a signature is added', () => {
  const [unsigned, signed] = [planBundle(lock, [], delta), planBundle(lock, [signature], delta)];
  expect(signed.size).toBe(unsigned.size);
  expect(signed.members.slice(-10)).toEqual(unsigned.members.slice(-10));
});

it('always carries manifests, charts and files, also where an image shares their bytes', () => {
  const shared = noise(2000, 'shared');
  const release = buildRelease({
    images: [{ reference: 'docker.io/library/a:1', layers: [shared, noise(10, 'own')] }],
    files: [{ name: 'same', content: shared }],
    charts: [{ name: 'web', content: Buffer.from('chart') }],
  });
  const may = omittable(release.lock);
  expect(may.has(digestOf(shared))).toBe(false);
  expect(may.has(digestOf(noise(10, 'own')))).toBe(true);
  const [image] = release.lock.images;
  const [chart] = release.lock.charts;
  expect([image, chart, ...(chart?.blobs ?? [])].filter((blob) => blob !== undefined && may.has(blob.digest))).toEqual([]);
});

it('carries a blob again when none of its images was in a repository that had it', () => {
  const layer = noise(3000, 'moved');
  const at = (reference: string) => buildRelease({ images: [{ reference, layers: [layer] }] }).lock;
  const base = baseOfLock(at('quay.io/a/tool:1'));
  expect(deltaSince(at('docker.io/b/tool:1'), base).omit.has(digestOf(layer))).toBe(false);
  expect(deltaSince(at('quay.io/a/tool:2'), base).omit.has(digestOf(layer))).toBe(true);
});

it('takes a base that knows digests alone, as a receipt does', () => {
  const { name, version, root, digests } = baseOfLock(old);
  expect(deltaSince(lock, { name, version, root, digests }).omit).toEqual(delta.omit);
});

it('names a base of another release in full', () => {
  const base = { ...delta.base, name: 'plant-7', version: '12' };
  expect(planBundle(lock, [], { ...delta, base }).fileName).toBe('gatekeeper-suite-3.6.2-since-plant-7-12.tar');
});

it('may be a delta that leaves out nothing', () => {
  const plan = planBundle(lock, [], { ...delta, omit: new Set() });
  expect(plan.delta?.omitted).toEqual([]);
  expect(plan.members.length).toBe(planBundle(lock, []).members.length);
});

it('refuses to leave out what must travel', () => {
  const [file] = lock.files;
  const omit = new Set(file === undefined ? [] : [file.digest]);
  expect(() => planBundle(lock, [], { ...delta, omit })).toThrowWithCode('E_BUNDLE', file?.digest);
});

it('reads the base of an index, and only a proper one', () => {
  const index = (annotations: unknown): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations }));
  const good = {
    'vnd.deliver.base.name': 'suite',
    'vnd.deliver.base.version': '1',
    'vnd.deliver.base.root': digestOf('x'),
    'vnd.deliver.base.omitted': '3',
  };
  expect(claimedBase(index(good))).toEqual({ base: { name: 'suite', version: '1', root: digestOf('x') }, omitted: 3 });
  expect(claimedBase(index(undefined))).toBeUndefined();
  expect(claimedBase(Buffer.from('no JSON'))).toBeUndefined();
  const wrong = [
    {},
    'text',
    { ...good, more: 'x' },
    { ...good, 'vnd.deliver.base.omitted': '03' },
    { ...good, 'vnd.deliver.base.root': 'x' },
  ];
  for (const annotations of [...wrong, { ...good, 'vnd.deliver.base.name': '../etc' }])
    expect(claimedBase(index(annotations))).toHaveProperty('problem');
});
