import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { fill } from '../bench/registry.ts';
import { writeImageRelease } from '../e2e/support/releases.ts';
import { bundleBytes, noisyRelease } from '../support/bundles.ts';
import { MIB, splitBundle } from '../support/carry.ts';
import { hasCommand } from '../support/has-command.ts';
import { check, judge, killPoints, LIMIT, pointsOf, runAndKill, showTallies, type Tally } from '../support/kill-points.ts';
import { startLoggedRegistry, type LoggedRegistry } from '../support/logged-registry.ts';
import { bySize } from '../support/size.ts';

// kill -9 at random points of what works on files; kill-points-store.test.ts has the verbs of the object store.
/** With those of kill-points-store.test.ts 105 at full size. */
const KILLS = bySize({ pack: 3, repair: 2, watch: 2 }, { pack: 32, repair: 25, watch: 28 });
/** Volumes of 1 MiB that repair makes again, of some 18. */
const LOST = 16;
const tallies: Tally[] = [];
let folder: string;
/** A bundle that the verbs other than pack are given. */
let bundle: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-kill-'));
  const { lock, content } = noisyRelease(1_500_000, 12);
  bundle = bundleBytes(planBundle(lock, []), content);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  showTallies(tallies);
});

/** What tells a file that was not touched from one that was written again. */
async function identityOf(path: string): Promise<string> {
  const { ino, mtimeMs } = await stat(path);
  return `${String(ino)} ${String(mtimeMs)}`;
}

/** Remembers finished files; at the end those that were written again can be counted. */
class Finished {
  readonly #files = new Map<string, string>();

  async note(paths: readonly string[]): Promise<number> {
    for (const path of paths) if (!this.#files.has(path)) this.#files.set(path, await identityOf(path));
    return paths.length;
  }

  async again(): Promise<number> {
    let count = 0;
    for (const [path, identity] of this.#files) if ((await identityOf(path).catch(() => 'gone')) !== identity) count += 1;
    return count;
  }
}

const listed = async (...path: string[]): Promise<readonly string[]> => readdir(join(...path)).catch(() => []);

describe.skipIf(!hasCommand('docker-registry'))('pack', () => {
  let registry: LoggedRegistry;
  let manifest: string;

  beforeAll(async () => {
    const home = join(folder, 'registry');
    await mkdir(home);
    registry = await startLoggedRegistry(home);
    manifest = await writeImageRelease(folder, 'killed', registry.host, await fill(registry.host, 0.01));
    check(await runAndKill({ args: ['resolve', manifest], cwd: folder, step: 'resolve' }));
  });
  afterAll(() => registry.stop());

  it('ends in the same bytes and asks the registry for no finished blob again', LIMIT, async () => {
    let expected: Buffer | undefined;
    const tally = await killPoints(
      'pack',
      pointsOf('pack', KILLS.pack),
      async (round) => {
        const output = join(folder, `pack-${String(round)}`);
        const path = join(output, 'killed-1.tar');
        const finished = new Set<string>();
        /** Digest → how often it may still be asked for: once, when the log was later than the kill. */
        const allowed = new Map<string, number>();
        let window = registry.fetched().length;
        const count = (digests: readonly string[]): number => {
          let again = 0;
          for (const digest of digests) {
            const left = allowed.get(digest);
            if (left === undefined) continue;
            if (left === 0) again += 1;
            allowed.set(digest, Math.max(0, left - 1));
          }
          return again;
        };
        let again = 0;
        const look = (): readonly string[] => {
          const asked = registry.fetched().slice(window);
          window += asked.length;
          again += count(asked);
          return asked;
        };
        return {
          command: { args: ['pack', manifest, '--output', output], cwd: folder, step: 'pack' },
          afterKill: async () => {
            const asked = new Set(look());
            const journal = await readFile(`${path}.part.journal`, 'utf8').catch(() => '');
            for (const digest of journal
              .split('\n')
              .slice(0, -1)
              .filter((line) => line.startsWith('sha256:'))) {
              if (!finished.has(digest)) allowed.set(digest, asked.has(digest) ? 0 : 1);
              finished.add(digest);
            }
            // Under its own name there is the whole bundle or nothing.
            const whole = await readFile(path).catch(() => undefined);
            if (whole !== undefined) expect(whole.equals(expected ?? whole)).toBe(true);
            return finished.size;
          },
          atEnd: async () => {
            look();
            const made = await readFile(path);
            expected ??= made;
            expect(made.equals(expected)).toBe(true);
            expect((await readdir(output)).filter((name) => name.includes('.part'))).toEqual([]);
            await rm(output, { recursive: true });
            return again;
          },
        };
      },
      check,
    );
    judge(tally, KILLS.pack);
    tallies.push(tally);
    expect(tally.finished).toBeGreaterThan(bySize(0, 100));
  });
});

it('repair ends with every volume as it was, and writes no finished one again', LIMIT, async () => {
  const whole = join(folder, 'whole');
  await writeFile(join(folder, 'noise-1.0.tar'), bundle);
  await splitBundle(join(folder, 'noise-1.0.tar'), { outputFolder: whole, volumeSize: MIB, parity: LOST });
  // Many, so that a kill can fall between the names of two.
  const lost = Array.from({ length: LOST }, (_, at) => `noise-1.0.tar.v${String(at + 2).padStart(3, '0')}`);
  const tally = await killPoints(
    'repair',
    pointsOf('repair', KILLS.repair),
    async (round) => {
      const set = join(folder, `repair-${String(round)}`);
      await cp(whole, set, { recursive: true });
      for (const name of lost) await rm(join(set, name));
      const finished = new Finished();
      return {
        command: { args: ['repair', set], cwd: folder, step: 'repair', named: { folder: set, names: lost } },
        afterKill: async () => {
          const there = (await listed(set)).filter((name) => lost.includes(name));
          for (const name of there)
            expect((await readFile(join(set, name))).equals(await readFile(join(whole, name)))).toBe(true);
          return finished.note(there.map((name) => join(set, name)));
        },
        atEnd: async () => {
          expect((await listed(set)).toSorted()).toEqual((await listed(whole)).toSorted());
          for (const name of await listed(whole))
            expect((await readFile(join(set, name))).equals(await readFile(join(whole, name))), name).toBe(true);
          const again = await finished.again();
          await rm(set, { recursive: true });
          return again;
        },
      };
    },
    check,
  );
  judge(tally, KILLS.repair);
  tallies.push(tally);
  expect(tally.finished).toBeGreaterThanOrEqual(bySize(0, 1));
});

it('watch mends and moves every delivery once, and never has one in two places or in none', LIMIT, async () => {
  const set = join(folder, 'small-set');
  const { lock, content } = noisyRelease(1_000_000, 5);
  const small = bundleBytes(planBundle(lock, []), content);
  await writeFile(join(folder, 'small.tar'), small);
  await splitBundle(join(folder, 'small.tar'), { outputFolder: set, volumeSize: 2 * MIB });
  const bundles = ['a.tar', 'b.tar', 'c.tar', 'd.tar'];
  const tally = await killPoints(
    'watch',
    pointsOf('watch', KILLS.watch),
    async (round) => {
      const inbox = join(folder, `watch-${String(round)}`);
      await cp(set, join(inbox, 'usb'), { recursive: true });
      await damage(join(inbox, 'usb', 'small.tar.v002'));
      for (const name of bundles) await writeFile(join(inbox, name), name === 'c.tar' ? small.subarray(0, 4_000_000) : small);
      const finished = new Finished();
      const [done, quarantine] = [join(inbox, 'done'), join(inbox, 'quarantine')];
      const places = async (): Promise<readonly string[]> =>
        (await Promise.all([inbox, done, quarantine].map((place) => listed(place))))
          .flat()
          .filter((name) => name.endsWith('.tar') || name === 'usb')
          .toSorted();
      return {
        command: {
          args: ['watch', inbox, '--allow-unsigned', '--once', '--settle', '20ms', '--poll', '10ms'],
          cwd: folder,
          step: 'watch',
        },
        afterKill: async () => {
          expect(await places()).toEqual([...bundles, 'usb']);
          const moved = [
            ...(await listed(done)).map((name) => join(done, name)),
            ...(await listed(quarantine)).map((name) => join(quarantine, name)),
          ];
          return finished.note(moved.filter((path) => /\.tar$|usb$/.test(path)));
        },
        atEnd: async () => {
          const reported = (names: readonly string[]): string[] => names.flatMap((name) => [name, `${name}.report.json`]);
          expect((await listed(done)).toSorted()).toEqual(reported(['a.tar', 'b.tar', 'd.tar', 'usb']));
          expect((await listed(quarantine)).toSorted()).toEqual(reported(['c.tar']));
          expect((await listed(inbox)).toSorted()).toEqual(['done', 'quarantine']);
          expect((await readFile(join(done, 'd.tar'))).equals(small)).toBe(true);
          for (const name of await listed(set))
            expect((await readFile(join(done, 'usb', name))).equals(await readFile(join(set, name))), name).toBe(true);
          const again = await finished.again();
          await rm(inbox, { recursive: true });
          return again;
        },
      };
    },
    check,
  );
  judge(tally, KILLS.watch);
  tallies.push(tally);
});

async function damage(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.write(Buffer.alloc(1000, 7), 0, 1000, MIB + 500);
  await handle.close();
}
