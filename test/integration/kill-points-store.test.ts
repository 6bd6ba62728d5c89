import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { bundleBytes, noisyRelease } from '../support/bundles.ts';
import { MIB } from '../support/carry.ts';
import type { CountingProxy, SeenRequest } from '../support/counting-proxy.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { check, judge, killPoints, LIMIT, pointsOf, runAndKill, showTallies, type Tally } from '../support/kill-points.ts';
import { BUCKET, noMinio } from '../support/minio.ts';
import { startS3Bench, type S3Bench } from '../support/s3-bench.ts';
import { bySize } from '../support/size.ts';

// kill -9 at random points of publish and fetch, with a real object store behind a front that counts.
/** Of each verb. */
const KILLS = bySize(2, 10);
const tallies: Tally[] = [];

describeUnless(noMinio, 'with an object store', () => {
  const name = 'noise-1.0.tar';
  const RANGE = 5 * MIB;
  const isPart = ({ method, path }: SeenRequest): boolean => method === 'PUT' && path.includes('partNumber=');
  let bench: S3Bench;
  let proxy: CountingProxy;
  let env: Readonly<Record<string, string>>;
  let folder: string;
  let bundle: Buffer;

  beforeAll(async () => {
    bench = await startS3Bench();
    ({ proxy } = bench);
    env = bench.env;
    folder = await mkdtemp(join(tmpdir(), 'deliver-kill-'));
    const { lock, content } = noisyRelease(1_500_000, 12);
    bundle = bundleBytes(planBundle(lock, []), content);
    await writeFile(join(folder, name), bundle);
  });
  afterAll(async () => {
    await bench.stop();
    await rm(folder, { recursive: true, force: true });
    showTallies(tallies);
  });

  it('publish sends no finished part again', LIMIT, async () => {
    const tally = await killPoints(
      'publish',
      pointsOf('publish', KILLS),
      async (round) => {
        const to = `s3://${BUCKET}/publish-${String(round)}`;
        proxy.seen.length = 0;
        const sent = (): readonly string[] =>
          proxy.seen
            .filter((request) => isPart(request) && request.whole)
            .map(({ path }) => /partNumber=\d+/.exec(path)?.[0] ?? '');
        return {
          command: { args: ['publish', name, to], cwd: folder, step: 'publish', env },
          afterKill: async () => sent().length,
          atEnd: async () => {
            const parts = sent();
            const target = `published-${String(round)}`;
            check(await runAndKill({ args: ['fetch', `${to}/${name}`, target], cwd: folder, step: 'fetch', env }));
            expect((await readFile(join(folder, target, name))).equals(bundle)).toBe(true);
            await rm(join(folder, target), { recursive: true });
            return parts.length - new Set(parts).size;
          },
        };
      },
      check,
    );
    judge(tally, KILLS);
    tallies.push(tally);
  });

  it('fetch asks for no finished range again', LIMIT, async () => {
    const from = `s3://${BUCKET}/fetch`;
    check(await runAndKill({ args: ['publish', name, from], cwd: folder, step: 'publish', env }));
    const tally = await killPoints(
      'fetch',
      pointsOf('fetch', KILLS),
      async (round) => {
        const target = join(folder, `fetch-${String(round)}`);
        const finished = new Set<number>();
        let again = 0;
        const look = (): void => {
          const asked = proxy.seen.flatMap(({ range }) =>
            range === undefined ? [] : [Number(/^bytes=(\d+)-/.exec(range)?.[1])],
          );
          again += asked.filter((offset) => finished.has(offset)).length;
          proxy.seen.length = 0;
        };
        proxy.seen.length = 0;
        return {
          command: { args: ['fetch', `${from}/${name}`, target], cwd: folder, step: 'fetch', env },
          afterKill: async () => {
            look();
            const journal = await readFile(join(target, `${name}.part`, 'journal'), 'utf8').catch(() => '');
            for (const [, index] of journal.matchAll(/^(\d+) sha256:/gm)) finished.add((Number(index) - 1) * RANGE);
            return finished.size;
          },
          atEnd: async () => {
            look();
            expect((await readFile(join(target, name))).equals(bundle)).toBe(true);
            await rm(target, { recursive: true });
            return again;
          },
        };
      },
      check,
    );
    judge(tally, KILLS);
    tallies.push(tally);
  });
});
