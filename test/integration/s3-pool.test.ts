import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { poolKeys } from '../../src/bucket/pool.ts';
import { collectFlow, type CollectResult } from '../../src/flows/collect.ts';
import { fetchPoolFlow } from '../../src/flows/fetch-pool.ts';
import { publishPoolFlow } from '../../src/flows/publish-pool.ts';
import type { ObjectStore } from '../../src/store/port.ts';
import { parseS3 } from '../../src/store/s3-address.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { buildRelease, bundleBytes, type TestRelease } from '../support/bundles.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { folderWith } from '../support/files.ts';
import { noise } from '../support/images.ts';
import { BUCKET, noMinio, startMinio, type Minio } from '../support/minio.ts';
import { runFlow } from '../support/run-flow.ts';

const layers = ['base', 'first', 'second'].map((seed) => noise(300_000, seed));
const big = noise(20_000_000, 'big');
const release = (version: string, ...own: Uint8Array[]): TestRelease =>
  buildRelease({ version, images: [{ reference: 'docker.io/library/app:1', layers: own }] });
const first = release('1.0', ...layers.slice(0, 2), big);
const second = release('2.0', ...layers.slice(0, 1), ...layers.slice(2), big);

describeUnless(noMinio, 'a pool in a bucket', () => {
  let minio: Minio;
  let store: ObjectStore;
  let pool = '';
  let turn = 0;

  beforeAll(async () => {
    minio = await startMinio();
    Object.assign(process.env, minio.env);
    store = createS3Store(parseS3(`s3://${BUCKET}?endpoint=${minio.url}`, process.env), process.env);
  });
  afterAll(() => minio.stop());
  beforeEach(() => {
    pool = `pool-${String((turn += 1))}`;
  });

  const publish = async ({ lock, content }: TestRelease) => {
    const plan = planBundle(lock, []);
    const folder = await folderWith({ [plan.fileName]: bundleBytes(plan, content) });
    return runFlow(publishPoolFlow(join(folder, plan.fileName), pool, store));
  };
  const blobs = async (): Promise<number> => {
    let count = 0;
    for await (const _ of store.list(poolKeys(pool).blobs)) count += 1;
    return count;
  };
  const collect = (window = 0, dryRun = false): Promise<CollectResult> =>
    runFlow(collectFlow({ prefix: pool, window, dryRun }, store));

  it('takes only the blobs that it lacks', async () => {
    const one = await publish(first);
    expect(one).toMatchObject({ sharedBlobs: 0, release: 'gatekeeper-suite-1.0' });
    const two = await publish(second);
    expect(two.sharedBytes).toBeGreaterThanOrEqual(20_300_000);
    expect(two.sentBytes).toBeLessThan(302_000);
    expect(await publish(second)).toMatchObject({ sentBlobs: 0, sentBytes: 0 });
  });

  it('gives a bundle back byte for byte', async () => {
    await publish(first);
    await publish(second);
    const folder = await folderWith();
    const { path } = await runFlow(fetchPoolFlow({ prefix: pool, release: 'gatekeeper-suite-2.0', folder }, store));
    expect((await readFile(path)).equals(bundleBytes(planBundle(second.lock, []), second.content))).toBe(true);
  });

  it('names a release that it does not have', async () => {
    const folder = await folderWith();
    const work = runFlow(fetchPoolFlow({ prefix: pool, release: 'nothing-1', folder }, store));
    await expect(work).rejects.toThrowWithCode('E_STORE_NOT_FOUND', 'nothing-1');
  });

  it('refuses another content under a name and version that are taken', async () => {
    await publish(first);
    await expect(publish(release('1.0', big))).rejects.toThrowWithCode('E_STORE', 'with other content');
  });

  it('refuses a damaged blob of the store when a bundle is made again', async () => {
    await publish(first);
    const [blob] = [...first.content].filter(([, bytes]) => bytes.byteLength === 300_000);
    await store.put(poolKeys(pool).blob(blob?.[0] ?? ('' as never)), noise(300_000, 'other'));
    const folder = await folderWith();
    const work = runFlow(fetchPoolFlow({ prefix: pool, release: 'gatekeeper-suite-1.0', folder }, store));
    await expect(work).rejects.toThrowWithCode('E_DIGEST', 's3://');
  });

  it('loses in two runs what no lock needs, and nothing else', async () => {
    await publish(first);
    const before = await blobs();
    await publish(second);
    await store.remove([poolKeys(pool).lock('gatekeeper-suite-2.0')]);
    // Stores tell times in whole seconds; a mark of the same second as its blob counts as older.
    await sleep(1100);
    expect(await collect(0, true)).toMatchObject({ deletedBlobs: 0 });
    const marked = await collect();
    expect(marked).toMatchObject({ deletedBlobs: 0, keptBlobs: before, releases: 1 });
    expect(marked.markedBlobs).toBeGreaterThan(0);
    expect(await collect(0, true)).toMatchObject({ deletedBlobs: marked.markedBlobs, dryRun: true });
    expect(await collect()).toMatchObject({ deletedBlobs: marked.markedBlobs, deletedBytes: marked.markedBytes });
    expect(await blobs()).toBe(before);
    const folder = await folderWith();
    await runFlow(fetchPoolFlow({ prefix: pool, release: 'gatekeeper-suite-1.0', folder }, store));
  });

  it('keeps what is younger than the window, however often it is asked', async () => {
    await publish(first);
    await store.remove([poolKeys(pool).lock('gatekeeper-suite-1.0')]);
    for (let at = 0; at < 3; at++) expect(await collect(3600_000)).toMatchObject({ deletedBlobs: 0, releases: 0 });
    expect(await blobs()).toBeGreaterThan(0);
  });

  it('keeps what a publish under way needs: its intent counts as a lock', async () => {
    const keys = poolKeys(pool);
    await publish(first);
    const bytes = Buffer.from(planBundle(first.lock, []).members.find(({ owners }) => owners[0] === 'lock')?.content ?? []);
    await store.remove([keys.lock('gatekeeper-suite-1.0')]);
    await collect();
    await store.put(keys.intent(planBundle(first.lock, []).root.digest), bytes);
    expect(await collect()).toMatchObject({ deletedBlobs: 0, markedBlobs: 0 });
  });

  it('lets no publish look at blobs while a sweep deletes them', async () => {
    const keys = poolKeys(pool);
    await store.put(keys.sweep, Buffer.from('another'));
    await expect(collect()).rejects.toThrowWithCode('E_STORE', 'Another deliver gc');
    let isDone = false;
    const work = publish(first).then(() => (isDone = true));
    for (let looked = 0; looked < 200 && (await store.head(keys.intent(planBundle(first.lock, []).root.digest))) === undefined;)
      looked++;
    expect(isDone).toBe(false);
    expect(await blobs()).toBe(0);
    await store.remove([keys.sweep]);
    await work;
    expect(await blobs()).toBeGreaterThan(0);
  });

  it('is left alone when a lock can not be read', async () => {
    await publish(first);
    await store.put(`${poolKeys(pool).locks}newer-1.0.lock.json`, Buffer.from('{"apiVersion":"deliver/v9"}'));
    await expect(collect()).rejects.toThrowWithCode('E_BUNDLE', 'newer-1.0.lock.json');
  });
});
