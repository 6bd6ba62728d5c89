import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { headerOf, planBundle, type BundlePlan } from '../../../src/bundle/plan.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { decodeTarHeader, paddedSize, TAR_BLOCK } from '../../../src/core/tar-header.ts';
import type { Lock } from '../../../src/lock/lock-schema.ts';
import { buildRelease, smallRelease } from '../../support/bundles.ts';

const { lock } = smallRelease();
const signature = { armored: '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n' };
const contentStart = (plan: BundlePlan): number => plan.members.findIndex(({ name }) => name === 'deliver.room') + 1;

it('gives the same lock the same bytes, on every machine and day', () => {
  const hash = createHash('sha256');
  for (const member of planBundle(lock, [signature]).members) {
    hash.update(headerOf(member)).update(member.content ?? member.digest ?? '');
  }
  // A change here changes every bundle and breaks every signature: write a decision record.
  expect(hash.digest('hex')).toMatchInlineSnapshot(`"0ce20a25c2e8833cf4b0201801fc10e1deb7fba4c46e1814b54eb4179c8226e4"`);
});

it('does not depend on the order of keys in the lock', () => {
  const shuffled = Object.fromEntries(Object.entries(lock).reverse()) as Lock;
  expect(planBundle(shuffled, [])).toEqual({ ...planBundle(lock, []), lock: shuffled });
});

it('places members one after the other, each behind its header', () => {
  const plan = planBundle(lock, []);
  let at = 0;
  for (const { headerOffset, offset, size } of plan.members) {
    expect(headerOffset).toBe(at);
    expect(offset).toBe(at + TAR_BLOCK);
    at = offset + paddedSize(size);
  }
  expect(plan.size).toBe(at + 2 * TAR_BLOCK);
});

it('starts with layout, index, release and lock, and has each digest once', () => {
  const plan = planBundle(lock, []);
  expect(plan.members.slice(0, 7).map(({ owners }) => owners[0])).toEqual([
    'image layout',
    'index',
    'release manifest',
    'lock',
    'list of contents',
    'empty config',
    'room for signatures',
  ]);
  const names = plan.members.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(plan.fileName).toBe('gatekeeper-suite-3.6.2.tar');
});

it('puts content in install order: files, system images, charts, app images', () => {
  const release = buildRelease({
    images: [
      { reference: 'docker.io/library/app:1', layers: [Buffer.from('app')], neededBy: ['app web'] },
      { reference: 'registry.k8s.io/pause:3.10', layers: [Buffer.from('pause')], neededBy: ['kubernetes'] },
    ],
    files: [{ name: 'kubeadm', content: Buffer.from('kubeadm') }],
    charts: [{ name: 'web', content: Buffer.from('chart') }],
  });
  const plan = planBundle(release.lock, []);
  const kinds = plan.members.slice(contentStart(plan)).map(({ owners }) => owners[0]?.split(',')[0]);
  expect([...new Set(kinds)]).toEqual([
    'file kubeadm',
    'image registry.k8s.io/pause:3.10',
    'chart web 1.0.0',
    'image docker.io/library/app:1',
  ]);
});

it('moves nothing behind the room when a signature is added', () => {
  const unsigned = planBundle(lock, []);
  const signed = planBundle(lock, [signature]);
  expect(signed.size).toBe(unsigned.size);
  expect(signed.root).toEqual(unsigned.root);
  const content = signed.members.slice(contentStart(signed));
  expect(content.length).toBeGreaterThan(0);
  expect(content).toEqual(unsigned.members.slice(contentStart(unsigned)));
});

it('has room for ten signatures, and says so when there is no more', () => {
  const many = (count: number): { armored: string }[] =>
    Array.from({ length: count }, (_, at) => ({ armored: `${'x'.repeat(290)}${String(at)}` }));
  expect(planBundle(lock, many(10)).size).toBe(planBundle(lock, []).size);
  expect(() => planBundle(lock, many(40))).toThrowWithCode('E_BUNDLE', 'no room');
});

it('plans a blob of 9 GiB with a size that tar readers understand', () => {
  const size = 9 * 1024 ** 3;
  const big = { ...lock, files: [{ name: 'big', title: 'big.iso', source: './big.iso', digest: digestOf('big'), size }] };
  const plan = planBundle(big, []);
  const member = plan.members.find(({ digest }) => digest === digestOf('big'));
  expect(member).toBeDefined();
  if (member !== undefined) expect(decodeTarHeader(headerOf(member))).toMatchObject({ size });
  expect(plan.size).toBeGreaterThan(size);
});

it('refuses a lock that gives one digest two sizes', () => {
  const [file] = lock.files;
  const files = file === undefined ? [] : [file, { ...file, name: 'again', size: file.size + 1 }];
  expect(() => planBundle({ ...lock, files }, [])).toThrowWithCode('E_BUNDLE', 'contradicts itself');
});

it('refuses a lock whose own data is not what its digest says', () => {
  const images = lock.images.map((image) => ({ ...image, data: Buffer.from('else').toString('base64') }));
  expect(() => planBundle({ ...lock, images }, [])).toThrowWithCode('E_BUNDLE', 'data in the lock');
});

it('refuses the same reference twice', () => {
  expect(() => planBundle({ ...lock, images: [...lock.images, ...lock.images] }, [])).toThrowWithCode('E_BUNDLE', 'twice');
});
