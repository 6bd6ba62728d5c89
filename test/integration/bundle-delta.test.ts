import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { baseOfBundle, baseOfLock } from '../../src/bundle/base-of-lock.ts';
import { deltaSince, omittable, type Delta } from '../../src/bundle/delta.ts';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { headerOf, planBundle, type BundlePlan, type PlannedMember } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { digestOf } from '../../src/core/digest.ts';
import { paddedSize, TAR_BLOCK } from '../../src/core/tar-header.ts';
import { bundleBytes } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { suiteVersion } from '../support/versions.ts';

const old = suiteVersion('3.6.1');
const { lock, content } = suiteVersion('3.6.2');
const delta = deltaSince(lock, baseOfLock(old.lock));
const plan = planBundle(lock, [{ armored: 'some signature' }], delta);
const good = bundleBytes(plan, content);

async function written(bytes: Uint8Array): Promise<string> {
  return join(await folderWith({ 'x.tar': bytes }), 'x.tar');
}

async function expectRefused(bytes: Uint8Array, text: string | RegExp): Promise<void> {
  await expect(openBundle(await written(bytes))).rejects.toThrowWithCode('E_BUNDLE', text);
}

/** The archive without one member. */
function without(bytes: Buffer, { headerOffset, offset, size }: PlannedMember): Buffer {
  return Buffer.concat([bytes.subarray(0, headerOffset), bytes.subarray(offset + paddedSize(size))]);
}

function member(of: BundlePlan, owner: string): PlannedMember {
  const found = of.members.find(({ owners }) => owners[0]?.startsWith(owner));
  if (found === undefined) throw new Error(`no member for ${owner}`);
  return found;
}

it('is written with the missing blobs alone, and opens as what it is', async () => {
  const path = join(await folderWith(), plan.fileName);
  const origins = new MemoryOrigins(content);
  await writeBundle(plan, path, origins);
  expect(origins.opened.filter((digest) => delta.omit.has(digest))).toEqual([]);
  const bundle = await openBundle(path);
  expect(bundle.delta?.base).toEqual({ name: 'gatekeeper-suite', version: '3.6.1', root: planBundle(old.lock, []).root.digest });
  expect(bundle.delta?.omitted.map(({ digest }) => digest).sort()).toEqual([...delta.omit].sort());
  expect(bundle.signatures).toHaveLength(1);
  expect(bundle.root).toEqual(planBundle(lock, []).root);
  await bundle.close();
  expect(await writeBundle(plan, path, new MemoryOrigins(content))).toMatchObject({ outcome: 'unchanged' });
});

it('says so when something that it leaves out is asked for', async () => {
  const bundle = await openBundle(await written(good));
  const [omitted] = delta.omit;
  if (omitted === undefined) throw new Error('nothing is left out');
  await expect(bundle.bytes(omitted)).rejects.toThrowWithCode('E_BASE_MISSING', 'came with gatekeeper-suite 3.6.1');
  await bundle.close();
});

it('stands for the whole release as the base of the next delta', async () => {
  const bundle = await openBundle(await written(good));
  await bundle.close();
  expect(baseOfBundle(bundle)).toEqual(baseOfLock(lock));
});

it('is packed anew over a delta on another base', async () => {
  const path = join(await folderWith(), 'same-name.tar');
  await writeBundle(plan, path, new MemoryOrigins(content));
  const other: Delta = { ...delta, base: { ...delta.base, root: digestOf('another 3.6.1') } };
  expect(await writeBundle(planBundle(lock, plan.signatures, other), path, new MemoryOrigins(content))).toMatchObject({
    outcome: 'written',
  });
});

it('is found out again from its bytes, whatever it leaves out', async () => {
  const all = [...omittable(lock)];
  const folder = await folderWith();
  await fc.assert(
    fc.asyncProperty(fc.subarray(all), fc.boolean(), async (some, isSigned) => {
      const signatures = isSigned ? [{ armored: 'some signature' }] : [];
      const planned = planBundle(lock, signatures, { ...delta, omit: new Set(some) });
      const path = join(folder, 'random.tar');
      await writeFile(path, bundleBytes(planned, content));
      const bundle = await openBundle(path);
      await bundle.close();
      expect(bundle.plan).toEqual(planned);
    }),
    { numRuns: 40, seed: 4 },
  );
});

it('refuses a delta that lacks more, or fewer, blobs than it says', async () => {
  const layer = member(plan, 'image dockerhub.kubekey.local/project/gatekeeper:v362, blob');
  await expectRefused(without(good, layer), 'index.json says that 3 blobs are left out for the base; 4 are');
  const fewer = new Set([...delta.omit].slice(1));
  const body = bundleBytes(planBundle(lock, plan.signatures, { ...delta, omit: fewer }), content);
  const index = member(plan, 'index');
  good.copy(body, index.offset, index.offset, index.offset + index.size);
  await expectRefused(body, 'index.json says that 3 blobs are left out for the base; 2 are');
});

it('refuses a full bundle from which a blob was taken', async () => {
  const full = planBundle(lock, []);
  const bytes = bundleBytes(full, content);
  for (const owner of [
    'image docker.io/library/busybox:1.36, blob 2',
    'file kubeadm',
    'image docker.io/library/proxy:2, manifest',
  ])
    await expectRefused(without(bytes, member(full, owner)), 'where the lock puts');
});

it('refuses a delta without what must always travel', async () => {
  for (const owner of ['file kubeadm', 'chart web 1.0.0, blob 2', 'image docker.io/library/proxy:2, manifest', 'lock'])
    await expectRefused(without(good, member(plan, owner)), /where the lock puts|can't be parsed|not what its name promises/);
});

it.each([
  ['a number that is none', (index: string) => index.replace('omitted":"3"', 'omitted":"x"')],
  ['a version that is a path', (index: string) => index.replace('version":"3.6.1"', 'version":"../.1"')],
  ['a root that is no digest', (index: string) => index.replace('base.root":"sha256', 'base.root":"sha512')],
  ['one annotation less', (index: string) => index.replace('vnd.deliver.base.name', 'vnd.deliver.base.nome')],
])('refuses %s in the annotations of the base', async (_what, change) => {
  const { offset, size } = member(plan, 'index');
  const bytes = Buffer.from(good);
  const text = change(bytes.toString('utf8', offset, offset + size));
  expect(text).toHaveLength(size);
  bytes.write(text, offset);
  await expectRefused(bytes, /names no proper base/);
});

it('refuses a base written with other spaces, keys or order', async () => {
  const { offset, size } = member(plan, 'index');
  const bytes = Buffer.from(good);
  const text = bytes.toString('utf8', offset, offset + size);
  bytes.write(text.replace('{"annotations":', '{ "annotations":').slice(0, -1), offset);
  await expectRefused(bytes, 'index.json');
});

it('refuses a delta that was cut, or had a byte changed in front of the content', async () => {
  for (let at = 0; at < good.length; at += 4999)
    await expect(openBundle(await written(good.subarray(0, at))), `cut at ${at}`).rejects.toThrowWithCode('E_BUNDLE');
  const end = member(plan, 'file runbook, manifest').offset;
  for (let at = 0; at < end; at += 997) {
    const bytes = Buffer.from(good);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
    await expect(openBundle(await written(bytes)), `byte ${at}`).rejects.toThrowWithCode('E_BUNDLE');
  }
});

it('refuses a blob that the base was to bring, hidden where it does not belong', async () => {
  const full = planBundle(lock, []);
  const [omitted] = plan.delta?.omitted ?? [];
  const hidden = full.members.find(({ digest }) => digest === omitted?.digest);
  if (hidden === undefined) throw new Error('nothing is left out');
  const bytes = Buffer.concat([headerOf(hidden), content.get(omitted?.digest ?? digestOf('')) ?? Buffer.alloc(0)]);
  const padded = Buffer.concat([bytes], paddedSize(bytes.length));
  await expectRefused(
    Buffer.concat([good.subarray(0, -2 * TAR_BLOCK), padded, Buffer.alloc(2 * TAR_BLOCK)]),
    /follow|not zero|end/,
  );
});
