import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { packObject, type PackedObject } from '../../src/bucket/pack-object.ts';
import { publishObject } from '../../src/bucket/publish-object.ts';
import { planBundle, type BundlePlan } from '../../src/bundle/plan.ts';
import { SILENT } from '../../src/core/report.ts';
import type { ObjectStore } from '../../src/store/port.ts';
import { open } from 'node:fs/promises';
import { bundleBytes, noisyRelease } from '../support/bundles.ts';
import type { CountingProxy, SeenRequest } from '../support/counting-proxy.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';
import { MemoryOrigins, type MemoryOriginsOptions } from '../support/memory-origins.ts';
import { BUCKET, noMinio } from '../support/minio.ts';
import { startS3Bench, type S3Bench } from '../support/s3-bench.ts';
import { bySize } from '../support/size.ts';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;
const PART = 5 * 1024 * 1024;
const ROUNDS = bySize(1, 5);

const isPart = ({ method, path }: SeenRequest): boolean => method === 'PUT' && path.includes('partNumber=');

describeUnless(noMinio, 'pack into a bucket', () => {
  const { lock, content } = noisyRelease(9_000_000, 6);
  const plan = planBundle(lock, []);
  const bundle = bundleBytes(plan, content);
  let bench: S3Bench;
  let proxy: CountingProxy;
  let store: ObjectStore;
  let folder: string;
  let turn = 0;
  let key = '';

  beforeAll(async () => {
    bench = await startS3Bench();
    ({ proxy } = bench);
    store = bench.store();
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    proxy.seen.length = 0;
    proxy.hold = () => undefined;
    folder = await folderWith();
    key = `turn-${String((turn += 1))}/${plan.fileName}`;
  });

  const pack = async (options: MemoryOriginsOptions = {}, of: BundlePlan = plan, bytes = content) => {
    const origins = new MemoryOrigins(bytes, options);
    const work = { report: SILENT, signal: new AbortController().signal, journal: join(folder, 'journal') };
    const outcome = await packObject(of, store, key, origins, work).catch((error: unknown) => error);
    return { outcome, opened: origins.opened };
  };
  const arrived = async (): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of await store.read(key, {})) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  const partsSent = (): string[] => proxy.seen.filter((seen) => isPart(seen) && seen.whole).map(({ path }) => path);

  it('gives the same bytes as a file, each part once, and nothing the second time', async () => {
    expect((await pack()).outcome).toMatchObject({ outcome: 'written', fetched: { keptBlobs: 0 } });
    expect((await arrived()).equals(bundle)).toBe(true);
    expect(partsSent().length).toBe(Math.ceil(bundle.byteLength / PART));
    const again = await pack();
    expect(again.outcome).toMatchObject({ outcome: 'unchanged' });
    expect(again.opened).toEqual([]);
  });

  it('is what publish of the file would have sent', async () => {
    await pack();
    const file = join(await folderWith({ 'b.tar': bundle }), 'b.tar');
    const handle = await open(file, 'r');
    const sent = await publishObject(store, key, { path: file, handle, size: bundle.byteLength });
    await handle.close();
    expect(sent.outcome).toBe('unchanged');
  });

  it('puts a small bundle in one request', async () => {
    const small = noisyRelease(1000, 2);
    const smallPlan = planBundle(small.lock, []);
    expect((await pack({}, smallPlan, small.content)).outcome).toMatchObject({ outcome: 'written' });
    expect((await arrived()).equals(bundleBytes(smallPlan, small.content))).toBe(true);
    expect((await pack({}, smallPlan, small.content)).outcome).toMatchObject({ outcome: 'unchanged' });
  });

  it('goes on when a source fails: no part twice, no blob whose parts are all up', async () => {
    let chunks = 0;
    const first = await pack({
      beforeChunk: () => {
        if ((chunks += 1) > 600) throw new Error('gone');
      },
    });
    expect(first.outcome).toThrowWithCode('E_SOURCE', 'gone');
    expect(await store.head(key)).toBeUndefined();
    const second = await pack();
    const { fetched } = second.outcome as PackedObject;
    expect(fetched.keptBlobs).toBeGreaterThan(0);
    expect(second.opened.length).toBe(fetched.fetchedBlobs);
    expect((await arrived()).equals(bundle)).toBe(true);
    expect(new Set(partsSent()).size).toBe(partsSent().length);
  });

  it('completes nothing of a blob that is not what the lock says, and mends what was sent of it', async () => {
    const largest = [...content].find(([, bytes]) => bytes.byteLength === 9_000_000);
    if (largest === undefined) throw new Error('no layer');
    const wrong = new Map(content).set(largest[0], noise(9_000_000, 'another'));
    const first = await pack({}, plan, wrong);
    expect(first.outcome).toThrowWithCode('E_DIGEST', largest[0]);
    expect(await store.head(key)).toBeUndefined();
    expect((await pack()).outcome).toMatchObject({ outcome: 'written' });
    expect((await arrived()).equals(bundle)).toBe(true);
  });

  it('mends parts that a killed run sent of wrong bytes', async () => {
    const [, , largest] = [...content].filter(([, bytes]) => bytes.byteLength === 9_000_000);
    if (largest === undefined) throw new Error('no layer');
    const wrong = new Map(content).set(largest[0], noise(9_000_000, 'another'));
    // Stopped before the end of the wrong blob, so nobody has noticed.
    const stop = (digest: string, offset: number): void => {
      if (digest === largest[0] && offset > 8_900_000) throw new Error('killed');
    };
    expect((await pack({ beforeChunk: stop }, plan, wrong)).outcome).toThrowWithCode('E_SOURCE', 'killed');
    expect((await pack()).outcome).toMatchObject({ outcome: 'written' });
    expect((await arrived()).equals(bundle)).toBe(true);
  });

  it('kill -9 anywhere, of deliver: the next run ends it', { timeout: 300_000 }, async () => {
    const files = Array.from({ length: 5 }, (_, at) => noise(9_000_000, `file ${String(at)}`));
    const url = await startHttp((request, response) => response.end(files[Number(request.url?.slice(1))]));
    const named = files.map((_, at) => `  - { name: f${String(at)}, path: "${url}/${String(at)}" }`).join('\n');
    const text = 'apiVersion: deliver/v1\nkind: Release\nmetadata: { name: suite, version: 1.0.0 }\nplatforms: [linux/amd64]\n';
    const cwd = await folderWith({ 'suite.yaml': `${text}files:\n${named}\n` });
    const env = { ...bench.env, XDG_STATE_HOME: join(cwd, 'state') };
    const start = (args: string[]) =>
      execa(process.execPath, [DEV, ...args], { cwd, reject: false, timeout: 60_000, stdin: 'ignore', env });
    expect((await start(['pack', 'suite.yaml'])).exitCode).toBe(0);
    const local = await readFile(join(cwd, 'bundles', 'suite-1.0.0.tar'));
    for (let round = 0; round < ROUNDS; round++) {
      const to = `s3://${BUCKET}/kill-${String(round)}`;
      const most = randomInt(1, Math.ceil(local.byteLength / PART));
      let come = 0;
      proxy.seen.length = 0;
      const work = start(['pack', 'suite.yaml', '--output', to]);
      proxy.hold = (request) => {
        if (isPart(request) && (come += 1) === most) work.kill('SIGKILL');
      };
      expect((await work).signal, `killed at part ${String(most)}`).toBe('SIGKILL');
      proxy.hold = () => undefined;
      const { exitCode, stdout } = await start(['pack', 'suite.yaml', '--output', to, '--json']);
      expect(exitCode, stdout).toBe(0);
      expect(new Set(partsSent()).size, partsSent().join('\n')).toBe(partsSent().length);
      expect((await start(['fetch', to, `back-${String(round)}`])).exitCode).toBe(0);
      expect((await readFile(join(cwd, `back-${String(round)}`, 'suite-1.0.0.tar'))).equals(local)).toBe(true);
    }
  });
});
