import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import { SILENT } from '../../src/core/report.ts';
import { inspectBundle } from '../../src/flows/inspect.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import { bundleBytes, noisyRelease, smallRelease } from '../support/bundles.ts';
import { runFlow } from '../support/run-flow.ts';

const { lock, content } = smallRelease();
const plan = planBundle(lock, []);
const good = bundleBytes(plan, content);
const never = new AbortController().signal;
let folder: string;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-verify-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${files++}.tar`);
  await writeFile(path, bytes);
  return path;
}

/** The good archive with one byte flipped in the content of each member whose first owner starts like this. */
function damaged(...owners: string[]): Buffer {
  const bytes = Buffer.from(good);
  for (const { owners: all, offset } of plan.members) {
    if (owners.some((owner) => all[0]?.startsWith(owner))) bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  }
  return bytes;
}

it('finds nothing wrong with a whole bundle', async () => {
  const result = await runFlow(verifyFlow({ bundlePath: await written(good), trust: [], allowUnsigned: true }));
  expect(result).toMatchObject({
    release: 'gatekeeper-suite',
    version: '3.6.2',
    root: plan.root.digest,
    size: good.length,
    signers: [],
  });
});

it('reports every damaged blob, with all that it belongs to and where it lies', async () => {
  const bundle = await openBundle(await written(damaged('file runbook', 'image docker.io/library/busybox:1.36, blob 2')));
  const damage = await verifyBundle(bundle, SILENT, never);
  await bundle.close();
  expect(damage.map(({ owners }) => owners)).toEqual([
    ['file runbook, manifest'],
    ['file runbook'],
    ['image docker.io/library/busybox:1.36, blob 2 of 3', 'image dockerhub.kubekey.local/project/gatekeeper:v362, blob 2 of 3'],
  ]);
  for (const { digest, offset, size, why } of damage) {
    expect(plan.members).toContainEqual(expect.objectContaining({ digest, offset, size }));
    expect(why).toContain(`expected ${digest}`);
  }
});

it('reports damage of the structure and of blobs together', async () => {
  const bytes = damaged('file runbook');
  const chart = plan.members.find(({ owners }) => owners[0] === 'chart web 1.0.0, manifest');
  bytes.writeUInt8(1, (chart?.headerOffset ?? 0) + 400);
  const flow = verifyFlow({ bundlePath: await written(bytes), trust: [], allowUnsigned: true });
  await expect(runFlow(flow)).rejects.toThrowWithCode('E_BUNDLE_DAMAGED', /header of[\s\S]*checksum[\s\S]*file runbook/);
});

it('reports all that a cut bundle lost', async () => {
  const image = plan.members.find(({ owners }) => owners[0]?.startsWith('image docker.io'));
  const flow = verifyFlow({
    bundlePath: await written(good.subarray(0, (image?.offset ?? 0) + 1)),
    trust: [],
    allowUnsigned: true,
  });
  await expect(runFlow(flow)).rejects.toThrowWithCode(
    'E_BUNDLE_DAMAGED',
    /members are missing[\s\S]*busybox:1.36[\s\S]*gatekeeper:v362, blob 3/,
  );
});

it('leaves an unsigned bundle at once', async () => {
  await expect(runFlow(verifyFlow({ bundlePath: await written(good), trust: [] }))).rejects.toThrowWithCode('E_UNSIGNED');
});

it('never ends the stream of a damaged blob', async () => {
  const bundle = await openBundle(await written(damaged('image docker.io/library/busybox:1.36, blob 2')));
  const digest = lock.images[0]?.blobs[1]?.digest;
  if (digest === undefined) throw new Error('no layer');
  const read = async (): Promise<void> => {
    for await (const chunk of bundle.stream(digest)) expect(chunk.length).toBe(3000);
  };
  await expect(read()).rejects.toThrowWithCode('E_DIGEST');
  await expect(bundle.bytes(digest)).rejects.toThrowWithCode('E_DIGEST');
  await bundle.close();
});

it('streams blobs larger than its buffers, several at once, and stops when asked', async () => {
  const noisy = noisyRelease(5_000_000, 3);
  const noisyPlan = planBundle(noisy.lock, []);
  const bundle = await openBundle(await written(bundleBytes(noisyPlan, noisy.content)));
  const reads = [...noisy.content].map(async ([digest, bytes]) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bundle.stream(digest)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });
  await Promise.all(reads);
  await expect(verifyBundle(bundle, SILENT, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  await bundle.close();
});

it('keeps a chunk of reused memory until the next but one is asked for', async () => {
  const noisy = noisyRelease(5_000_000, 1);
  const bundle = await openBundle(await written(bundleBytes(planBundle(noisy.lock, []), noisy.content)));
  const [digest, bytes] = [...noisy.content].find(([, content]) => content.byteLength === 5_000_000) ?? [];
  if (digest === undefined || bytes === undefined) throw new Error('no such blob');
  let before: Uint8Array = new Uint8Array();
  let at = 0;
  for await (const chunk of bundle.stream(digest, never, 'reused')) {
    expect(Buffer.compare(before, bytes.subarray(at - before.byteLength, at))).toBe(0);
    before = chunk;
    at += chunk.byteLength;
  }
  expect(at).toBe(bytes.byteLength);
  await bundle.close();
});

it('reports damage in blobs that threads hash, in file order, and every byte once', async () => {
  const noisy = noisyRelease(3_000_000, 5);
  const noisyPlan = planBundle(noisy.lock, []);
  const bytes = bundleBytes(noisyPlan, noisy.content);
  const large = noisyPlan.members.filter(({ size }) => size === 3_000_000);
  for (const { offset, size } of [large[3], large[1]].filter((member) => member !== undefined)) {
    bytes.writeUInt8(bytes.readUInt8(offset + size - 1) ^ 1, offset + size - 1);
  }
  const bundle = await openBundle(await written(bytes));
  let last = { done: 0, total: 0 };
  const report = { ...SILENT, progress: (progress: typeof last) => (last = progress) };
  const damage = await verifyBundle(bundle, report, never);
  expect(damage.map(({ offset }) => offset)).toEqual([large[1]?.offset, large[3]?.offset]);
  expect(damage[0]?.why).toMatch(/expected sha256:.*\ngot {6}sha256:/);
  expect(last.done).toBe(last.total);
  await bundle.close();
});

it('stops threads in the middle of a blob, and can be asked again', async () => {
  const noisy = noisyRelease(40_000_000, 1);
  const bundle = await openBundle(await written(bundleBytes(planBundle(noisy.lock, []), noisy.content)));
  const stop = new AbortController();
  const report = {
    ...SILENT,
    progress: () => {
      stop.abort(new Error('stopped'));
    },
  };
  await expect(verifyBundle(bundle, report, stop.signal)).rejects.toThrow('stopped');
  expect(await verifyBundle(bundle, SILENT, never)).toEqual([]);
  await bundle.close();
});

it('shows what is in a bundle: sizes, what is shared, what is unique', async () => {
  const shown = await inspectBundle(await written(good));
  expect(shown).toMatchObject({ release: 'gatekeeper-suite', root: plan.root.digest, size: good.length, signatures: [] });
  const [busybox] = shown.images;
  expect(busybox).toMatchObject({ reference: 'docker.io/library/busybox:1.36', shared: 3000, platforms: ['linux/amd64'] });
  expect((busybox?.unique ?? 0) + 3000).toBe(busybox?.size);
  expect(shown.files).toMatchObject([{ name: 'runbook', title: 'runbook.pdf', size: 7 }]);
  expect(shown.charts).toMatchObject([{ name: 'web', version: '1.0.0' }]);
  expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
});
