import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { fetchFlow } from '../../src/flows/fetch.ts';
import { publishFlow } from '../../src/flows/publish.ts';
import type { ObjectStore } from '../../src/store/port.ts';
import { bundleBytes, noisyRelease } from '../support/bundles.ts';
import type { CountingProxy, SeenRequest } from '../support/counting-proxy.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { folderWith } from '../support/files.ts';
import { noise } from '../support/images.ts';
import { BUCKET, noMinio, type Minio } from '../support/minio.ts';
import { runFlow } from '../support/run-flow.ts';
import { startS3Bench, type S3Bench } from '../support/s3-bench.ts';

const NAME = 'noise-1.0.tar';

describeUnless(noMinio, 'bundles in a bucket', () => {
  let bench: S3Bench;
  let minio: Minio;
  let proxy: CountingProxy;
  let store: ObjectStore;
  let bundle: Buffer;
  let folder: string;
  let prefix = '';
  let turn = 0;

  beforeAll(async () => {
    bench = await startS3Bench();
    ({ minio, proxy } = bench);
    const { lock, content } = noisyRelease(9_000_000, 5);
    bundle = bundleBytes(planBundle(lock, []), content);
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    proxy.seen.length = 0;
    proxy.hold = () => undefined;
    prefix = `turn-${String((turn += 1))}`;
    folder = await folderWith({ [NAME]: bundle });
    store = bench.store();
  });

  const publish = (signal?: AbortSignal) => runFlow(publishFlow({ path: join(folder, NAME), prefix }, store), { signal });
  const fetch = (to = 'here', signal?: AbortSignal) =>
    runFlow(fetchFlow({ key: `${prefix}/${NAME}`, folder: join(folder, to) }, store), { signal });
  const partsSent = (): string[] =>
    proxy.seen
      .filter(({ method, path, whole }) => method === 'PUT' && whole && path.includes('partNumber='))
      .map(({ path }) => path);
  const rangesGot = (): (string | undefined)[] =>
    proxy.seen.filter(({ method, whole, range }) => method === 'GET' && whole && range !== undefined).map(({ range }) => range);

  /** Lets so many of the requests through and then stops the work, with others on their way. */
  const stopAfter = (most: number, isMeant: (request: SeenRequest) => boolean, done: () => unknown[]): AbortSignal => {
    const stop = new AbortController();
    let come = 0;
    proxy.hold = async (request) => {
      if (!isMeant(request)) return;
      come += 1;
      if (come <= most) return;
      for (let waited = 0; done().length < most && waited < 2000; waited++) await sleep(5);
      stop.abort(new Error('stop'));
      await sleep(50);
    };
    return stop.signal;
  };
  /** What the journal of a fetch says; the proxy passes a range on before it is on the disk. */
  const rangesKept = (): string[] => {
    const journal = join(folder, 'here', `${NAME}.part`, 'journal');
    return existsSync(journal) ? (readFileSync(journal, 'utf8').match(/^\d+ sha256:.*\n/gm) ?? []) : [];
  };
  const isPart = ({ method, path }: SeenRequest): boolean => method === 'PUT' && path.includes('partNumber=');
  const isRange = ({ range }: SeenRequest): boolean => range !== undefined;

  it('arrive as they left, in parts, with checksums that the store keeps', async () => {
    const sent = await publish();
    expect(sent).toMatchObject({ sentBytes: bundle.byteLength, keptBytes: 0, objects: [{ outcome: 'sent' }] });
    expect(partsSent().length).toBe(Math.ceil(bundle.byteLength / (5 * 1024 * 1024)));
    const head = await minio.client.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: `${prefix}/${NAME}`, ChecksumMode: 'ENABLED' }),
    );
    expect(head.ChecksumSHA256).toMatch(/^\S+-\d+$/);
    expect(head.Metadata).toEqual({ 'deliver-part-size': String(5 * 1024 * 1024) });
    const got = await fetch();
    expect(got).toMatchObject({
      fetchedBytes: bundle.byteLength,
      files: [{ outcome: 'written', isPromised: true }],
    });
    expect((await readFile(join(folder, 'here', NAME))).equals(bundle)).toBe(true);
    expect(await readdir(join(folder, 'here'))).toEqual([NAME]);
  });

  it('are neither sent nor fetched a second time', async () => {
    await publish();
    await fetch();
    proxy.seen.length = 0;
    expect(await publish()).toMatchObject({ sentBytes: 0, objects: [{ outcome: 'unchanged' }] });
    expect(await fetch()).toMatchObject({ fetchedBytes: 0, files: [{ outcome: 'unchanged' }] });
    expect(partsSent()).toEqual([]);
    expect(rangesGot()).toEqual([]);
  });

  it('go on after an interruption, and send no finished part twice', async () => {
    await expect(publish(stopAfter(2, isPart, partsSent))).rejects.toThrow('stop');
    const before = new Set(partsSent());
    expect(before.size).toBeGreaterThanOrEqual(2);
    proxy.hold = () => undefined;
    const result = await publish();
    expect(result.keptBytes).toBeGreaterThan(0);
    const all = partsSent();
    expect(new Set(all).size).toBe(all.length);
  });

  it('are sent anew when the interrupted upload was of another file', async () => {
    await expect(publish(stopAfter(2, isPart, partsSent))).rejects.toThrow('stop');
    proxy.hold = () => undefined;
    const { lock, content } = noisyRelease(9_000_001, 5);
    bundle = bundleBytes(planBundle(lock, []), content);
    await writeFile(join(folder, NAME), bundle);
    expect(await publish()).toMatchObject({ keptBytes: 0 });
    await fetch();
    expect((await readFile(join(folder, 'here', NAME))).equals(bundle)).toBe(true);
  });

  it('are fetched on after an interruption, no finished range twice', async () => {
    await publish();
    await expect(fetch('here', stopAfter(2, isRange, rangesKept))).rejects.toThrow('stop');
    expect(await readdir(join(folder, 'here'))).toEqual([`${NAME}.part`]);
    const finished = rangesKept().length;
    proxy.hold = () => undefined;
    proxy.seen.length = 0;
    const result = await fetch();
    expect(result.keptBytes).toBeGreaterThan(0);
    expect(rangesGot().length).toBe(Math.ceil(bundle.byteLength / (5 * 1024 * 1024)) - finished);
    expect((await readFile(join(folder, 'here', NAME))).equals(bundle)).toBe(true);
  });

  it('that were damaged on the disk between two runs are fetched again there', async () => {
    await publish();
    await expect(fetch('here', stopAfter(3, isRange, rangesKept))).rejects.toThrow('stop');
    proxy.hold = () => undefined;
    const content = join(folder, 'here', `${NAME}.part`, 'content');
    const bytes = await readFile(content);
    for (let at = 0; at < bytes.length; at += 1_000_000) bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(content, bytes);
    expect((await fetch()).keptBytes).toBe(0);
    expect((await readFile(join(folder, 'here', NAME))).equals(bundle)).toBe(true);
  });

  it('are refused when the store holds other bytes than were promised', async () => {
    await publish();
    const damaged = Buffer.from(bundle);
    const at = randomInt(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const Metadata = { 'deliver-sha256': hexOf(digestOf(bundle)) };
    await minio.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${prefix}/${NAME}`, Body: damaged, Metadata }));
    await expect(fetch()).rejects.toThrowWithCode('E_DIGEST', 'is not what its publisher promised');
    expect(await readdir(join(folder, 'here'))).toEqual([`${NAME}.part`]);
  });

  it('that others put there without a promise are verified blob by blob', async () => {
    await minio.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${prefix}/${NAME}`, Body: bundle }));
    await fetch();
    expect((await readFile(join(folder, 'here', NAME))).equals(bundle)).toBe(true);
    const damaged = Buffer.from(bundle);
    damaged[20_000_000] = (damaged[20_000_000] ?? 0) ^ 1;
    await minio.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${prefix}/${NAME}`, Body: damaged }));
    await expect(fetch('there')).rejects.toThrowWithCode('E_BUNDLE_DAMAGED', NAME);
  });

  it('that are replaced while they are fetched are not mixed', async () => {
    await publish();
    const Key = `${prefix}/${NAME}`;
    let replaced: Promise<unknown> | undefined;
    proxy.hold = async (request) => {
      if (!isRange(request)) return;
      await (replaced ??= minio.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: bundle.subarray(0, 1000) })));
    };
    await expect(fetch()).rejects.toThrowWithCode('E_STORE', 'replaced');
  });

  it('travel as folders too, the end of a carry set last', async () => {
    const set = { 'a.carry.json': '{}', 'a.carry.end.json': '{}', 'a.v001': noise(100, 'v'), 'a.v002.part': 'not yet' };
    const carried = join(folder, 'set');
    await mkdir(carried);
    for (const [name, content] of Object.entries(set)) await writeFile(join(carried, name), content);
    const sent = await runFlow(publishFlow({ path: carried, prefix }, store));
    expect(sent.objects.map(({ key }) => key)).toEqual(
      ['a.carry.json', 'a.v001', 'a.carry.end.json'].map((name) => `${prefix}/${name}`),
    );
    await runFlow(fetchFlow({ key: prefix, folder: join(folder, 'arrived') }, store));
    expect((await readdir(join(folder, 'arrived'))).sort()).toEqual(['a.carry.end.json', 'a.carry.json', 'a.v001']);
  });

  it('that are not there are named', async () => {
    await expect(fetch()).rejects.toThrowWithCode('E_STORE_NOT_FOUND', `s3://${BUCKET}/${prefix}/${NAME}`);
    const elsewhere = bench.store('no-such-bucket');
    await expect(runFlow(publishFlow({ path: join(folder, NAME), prefix }, elsewhere))).rejects.toThrowWithCode(
      'E_STORE_NOT_FOUND',
    );
  });
});
