import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collectGarbage } from '../../src/bucket/collect.ts';
import { planOfLock, poolBlobs, poolKeys, readObject } from '../../src/bucket/pool.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { inParallel } from '../../src/core/in-parallel.ts';
import { isDeliverError } from '../../src/core/errors.ts';
import { SILENT } from '../../src/core/report.ts';
import { publishPoolFlow } from '../../src/flows/publish-pool.ts';
import type { ObjectStore } from '../../src/store/port.ts';
import { buildRelease, bundleBytes } from '../support/bundles.ts';
import type { CountingProxy, SeenRequest } from '../support/counting-proxy.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { folderWith } from '../support/files.ts';
import { noise } from '../support/images.ts';
import { BUCKET, noMinio } from '../support/minio.ts';
import { startS3Bench, type S3Bench } from '../support/s3-bench.ts';
import { bySize } from '../support/size.ts';

const CHILD = new URL('../support/gc-child.ts', import.meta.url).pathname;
const SEED = 20;
const INTERLEAVINGS = bySize(6, 30);
const isDelete = ({ method, path }: SeenRequest): boolean => method === 'POST' && path.includes('delete');
const never = new AbortController().signal;

/** The same numbers on every run, from 0 to below 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Releases that share some blobs and not others. */
const releases = Array.from({ length: 4 }, (_, at) =>
  buildRelease({
    version: `1.${String(at)}`,
    images: [
      { reference: 'docker.io/library/app:1', layers: [at, at + 1, (at + 2) % 4].map((seed) => noise(20_000, `s${seed}`)) },
    ],
  }),
);

describeUnless(noMinio, 'publishers and gc at once', () => {
  let bench: S3Bench;
  let proxy: CountingProxy;
  let store: ObjectStore;

  beforeAll(async () => {
    bench = await startS3Bench();
    ({ proxy } = bench);
    store = bench.store();
  });
  afterAll(() => bench.stop());

  const bundlesIn = async (): Promise<string[]> => {
    const plans = releases.map(({ lock, content }) => ({ plan: planBundle(lock, []), content }));
    const folder = await folderWith(
      Object.fromEntries(plans.map(({ plan, content }) => [plan.fileName, bundleBytes(plan, content)])),
    );
    return plans.map(({ plan }) => join(folder, plan.fileName));
  };
  const publish = async (path: string, pool: string): Promise<void> => {
    for (const step of publishPoolFlow(path, pool, store).steps) await step.run(SILENT, never);
  };
  const collect = async (pool: string): Promise<void> => {
    await collectGarbage(store, pool, { window: 0, dryRun: false, signal: never }).catch((error: unknown) => {
      // Another one at work, or a lock that was removed while it was read: it deleted nothing.
      if (!isDeliverError(error, 'E_STORE')) throw error;
    });
  };
  const locksIn = async (pool: string): Promise<string[]> => {
    const locks: string[] = [];
    for await (const { key } of store.list(poolKeys(pool).locks)) locks.push(key);
    return locks;
  };
  /** Blobs that a published lock names and the pool lacks. */
  const lost = async (pool: string): Promise<string[]> => {
    const keys = poolKeys(pool);
    const there = new Map<string, number>();
    for await (const { key, size } of store.list(keys.blobs)) there.set(key, size);
    const missing: string[] = [];
    for (const key of await locksIn(pool)) {
      const blobs = poolBlobs(planOfLock(key, (await readObject(store, key)) ?? Buffer.alloc(0), []));
      missing.push(
        ...blobs.filter(({ digest, size }) => there.get(keys.blob(digest)) !== size).map(({ digest }) => `${key} ${digest}`),
      );
    }
    return missing;
  };
  /** Garbage that gc has marked long enough ago to delete it: of releases that were taken out again. */
  const withGarbage = async (pool: string, bundles: readonly string[]): Promise<void> => {
    await Promise.all(bundles.map((path) => publish(path, pool)));
    await store.remove(releases.map(({ lock }) => poolKeys(pool).lock(`gatekeeper-suite-${lock.metadata.version}`)));
  };

  it(`never take a blob from a published lock, in ${String(INTERLEAVINGS)} seeded orders`, { timeout: 300_000 }, async () => {
    const bundles = await bundlesIn();
    const pools = Array.from({ length: INTERLEAVINGS }, (_, at) => `order-${String(at)}`);
    await inParallel(pools, 6, never, (pool) => withGarbage(pool, bundles));
    // Stores tell times in whole seconds; a mark of the same second as its blob counts as older.
    await sleep(1100);
    await inParallel(pools, 6, never, collect);
    await sleep(1100);
    let deleted = 0;
    for (const [at, pool] of pools.entries()) {
      const random = seeded(SEED + at);
      // Every request waits a little, drawn from the seed: who comes first is another one each time.
      proxy.hold = async (request) => {
        if (isDelete(request)) deleted += 1;
        await sleep(random() * 12);
      };
      const publishers = bundles.slice(0, 2 + (at % 2)).map(async (path) => {
        await sleep(random() * 40);
        await publish(path, pool);
      });
      const collectors = [0, 1].map(async () => {
        await sleep(random() * 60);
        await collect(pool);
      });
      await Promise.all([...publishers, ...collectors]);
      proxy.hold = () => undefined;
      expect(await lost(pool), `seed ${String(SEED + at)}`).toEqual([]);
    }
    // Otherwise nothing was at stake.
    expect(deleted).toBeGreaterThan(INTERLEAVINGS / 4);
  });

  it('nor when gc is killed (-9) while it deletes, and publishers come right after', { timeout: 120_000 }, async () => {
    const bundles = await bundlesIn();
    for (const at of bySize([1], [0, 1, 2])) {
      const pool = `killed-${String(at)}`;
      await withGarbage(pool, bundles);
      await sleep(1100);
      await collect(pool);
      const gc = execa(process.execPath, [CHILD, `s3://${BUCKET}/${pool}`], {
        reject: false,
        timeout: 60_000,
        stdin: 'ignore',
        env: bench.env,
      });
      proxy.hold = async (request) => {
        if (!isDelete(request)) return;
        // Killed before, while or after the store hears of it.
        if (at < 2) gc.kill('SIGKILL');
        else setTimeout(() => gc.kill('SIGKILL'), 3);
        if (at === 1) await sleep(50);
      };
      const { signal, stderr } = await gc;
      expect(signal, stderr).toBe('SIGKILL');
      proxy.hold = () => undefined;
      const published = Promise.all(bundles.map((path) => publish(path, pool)));
      // A delete that the killed gc sent may still be under way: nobody looks at blobs as long as its sweep counts.
      await sleep(1500);
      expect(await locksIn(pool)).toEqual([]);
      // Stands for the ten minutes after which it does not count.
      await store.remove([poolKeys(pool).sweep]);
      await published;
      expect((await locksIn(pool)).length).toBe(releases.length);
      expect(await lost(pool)).toEqual([]);
    }
  });
});
