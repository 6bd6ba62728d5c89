import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { baseOfLock } from '../../src/bundle/base-of-lock.ts';
import { deltaSince } from '../../src/bundle/delta.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { ERROR_CLASS } from '../../src/core/error-codes.ts';
import { isDeliverError } from '../../src/core/errors.ts';
import { inParallel } from '../../src/core/in-parallel.ts';
import { SILENT } from '../../src/core/report.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import { buildRelease, bundleBytes, smallRelease } from '../support/bundles.ts';
import { mutant } from '../support/corpus.ts';
import { hasCommand } from '../support/has-command.ts';
import { signedBundle, signedBy, testKey } from '../support/signed-bundle.ts';
import { bySize } from '../support/size.ts';

/** How many mutants deliver alone is shown; both judge the first of them: 1,000 of 10,000 when CORPUS says so. */
const CORPUS = Number(process.env['CORPUS'] ?? bySize(300, 10_000));
const BY_BOTH = process.env['CORPUS'] === undefined ? bySize(30, 500) : CORPUS / 10;
const SCRIPT = new URL('../../bin/verify.sh', import.meta.url).pathname;

const packer = testKey('release@corp');
const gateway = testKey('gateway@corp');
const release = smallRelease();
const { plan, bytes: good } = signedBundle(release, [packer, gateway]);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-corpus-'));
  await writeFile(join(folder, 'packer.pub'), packer.line);
  await writeFile(join(folder, 'stranger.pub'), testKey('stranger').line);
  await writeFile(join(folder, 'both'), `a ${packer.line}b namespaces="deliver" ${gateway.line}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function judged<Verdict>(bytes: Uint8Array, judge: (path: string) => Promise<Verdict>): Promise<Verdict> {
  const path = join(folder, `${String(files++)}.tar`);
  await writeFile(path, bytes);
  try {
    return await judge(path);
  } finally {
    await rm(path);
  }
}

/** The exit code of deliver verify, and what it says. */
async function byDeliver(path: string, keys = 'packer.pub', threshold = 1): Promise<string> {
  try {
    const flow = verifyFlow({ bundlePath: path, trust: [join(folder, keys)], threshold });
    for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
    return 'accepted';
  } catch (error) {
    return isDeliverError(error) && ERROR_CLASS[error.code] === 'integrity' ? 'refused' : `crashed: ${String(error)}`;
  }
}

const run = promisify(execFile);

async function byScript(path: string, keys = 'packer.pub', threshold = 1): Promise<string> {
  try {
    await run('sh', [SCRIPT, path, join(folder, keys), String(threshold)], { timeout: 30_000 });
    return 'accepted';
  } catch (error) {
    const { code, stderr } = error as { code: unknown; stderr: unknown };
    return code === 4 ? 'refused' : `crashed: ${String(code)} ${String(stderr)}`;
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

it(`refuses ${String(CORPUS)} changed archives, and breaks at none`, { timeout: 60_000 + CORPUS * 20 }, async () => {
  expect(await judged(good, byDeliver)).toBe('accepted');
  const wrong: string[] = [];
  await inParallel(numbers(CORPUS), 4, undefined, async (number) => {
    const { name, bytes } = mutant(good, plan, number);
    const verdict = await judged(bytes, byDeliver);
    if (verdict !== 'refused') wrong.push(`${name}: ${verdict}`);
  });
  expect(wrong).toEqual([]);
});

describe.skipIf(!hasCommand('ssh-keygen'))('verify.sh, with the real ssh-keygen', () => {
  it('refuses what deliver refuses', { timeout: 400_000 + BY_BOTH * 1000 }, async () => {
    const wrong: string[] = [];
    await inParallel(numbers(BY_BOTH), 4, undefined, async (number) => {
      const { name, bytes } = mutant(good, plan, number);
      const [deliver, script] = await judged(bytes, async (path) => [await byDeliver(path), await byScript(path)] as const);
      if (deliver !== 'refused' || script !== 'refused') wrong.push(`${name}: deliver ${deliver}, verify.sh ${script}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each<[string, string, number, string]>([
    ['one key that is trusted', 'packer.pub', 1, 'accepted'],
    ['an allowed_signers file', 'both', 1, 'accepted'],
    ['two keys of two', 'both', 2, 'accepted'],
    ['two keys where one is trusted', 'packer.pub', 2, 'refused'],
    ['a stranger', 'stranger.pub', 1, 'refused'],
  ])('says the same as deliver about %s', async (_what, keys, threshold, verdict) => {
    if (!(keys === 'packer.pub' && threshold === 2))
      expect(await judged(good, (path) => byDeliver(path, keys, threshold))).toBe(verdict);
    expect(await judged(good, (path) => byScript(path, keys, threshold))).toBe(verdict);
  });

  it('says the same as deliver about key periods', async () => {
    await writeFile(join(folder, 'late'), `a valid-before="20200101Z" ${packer.line}`);
    await writeFile(join(folder, 'early'), `a valid-after="20990101Z" ${packer.line}`);
    await writeFile(join(folder, 'now'), `a valid-after="20200101Z",valid-before="20990101Z" ${packer.line}`);
    for (const [keys, verdict] of [
      ['late', 'refused'],
      ['early', 'refused'],
      ['now', 'accepted'],
    ]) {
      expect(await judged(good, (path) => byDeliver(path, keys)), keys).toBe(verdict);
      expect(await judged(good, (path) => byScript(path, keys)), keys).toBe(verdict);
    }
  });

  it('refuses an unsigned bundle, a signature over another release, and one for another purpose', async () => {
    const other = signedBy(packer, Buffer.from('another release'));
    for (const { bytes } of [
      signedBundle(release, []),
      signedBundle(release, [], [other]),
      signedBundle(release, [packer], [other]),
    ]) {
      expect(await judged(bytes, byDeliver)).toBe('refused');
      expect(await judged(bytes, byScript)).toBe('refused');
    }
  });

  it(
    'accepts whatever deliver packs: names, many files, an empty release, a full room, a delta',
    { timeout: 60_000 },
    async () => {
      const odd = buildRelease({
        name: 'odd_name.x',
        version: '1.0.0-rc.1',
        images: [{ reference: 'docker.io/a/b__c:1_2', layers: [Buffer.alloc(0), Buffer.alloc(512, 1), Buffer.alloc(513, 2)] }],
        files: numbers(20).map((at) => ({ name: `file-${String(at)}`, content: Buffer.from(`"\\ ${String(at)} ü`) })),
      });
      const many = Array.from({ length: 12 }, (_, at) => testKey(`signer ${String(at)}`));
      const bundles = [
        signedBundle(odd, [packer]).bytes,
        signedBundle(buildRelease({}), [packer]).bytes,
        signedBundle(release, [packer, ...many.slice(0, 9)]).bytes,
        deltaBytes(),
      ];
      for (const bytes of bundles) {
        expect(await judged(bytes, byDeliver)).toBe('accepted');
        expect(await judged(bytes, byScript)).toBe('accepted');
      }
    },
  );

  it.each<[string, string, string, string]>([
    ['letters, digits, “.”, “_” and “-”', 'A9._-z', '3.6.1', 'accepted'],
    ['100 letters', 'x'.repeat(100), 'y'.repeat(100), 'accepted'],
    ['101 letters', 'x'.repeat(101), '3.6.1', 'refused'],
    ['101 letters in its version', 'suite', '1'.repeat(101), 'refused'],
    ['no letter', '', '3.6.1', 'refused'],
    ['a dot first', '.suite', '3.6.1', 'refused'],
    ['a dash first', 'suite', '-rf', 'refused'],
    ['a plus sign', 'suite', '3.6.1+build.5', 'refused'],
    ['a space', 'my suite', '3.6.1', 'refused'],
    ['a slash', '../suite', '3.6.1', 'refused'],
    ['a letter with an accent', 'süite', '3.6.1', 'refused'],
  ])('says the same as deliver about a base whose name has %s', async (_what, name, version, verdict) => {
    const bytes = deltaBytes({ name, version });
    expect(await judged(bytes, byDeliver)).toBe(verdict);
    expect(await judged(bytes, byScript)).toBe(verdict);
  });

  it('needs nothing but coreutils, tar and OpenSSH, in dash and in whatever sh is', { timeout: 120_000 }, async () => {
    const path = join(folder, 'bare');
    await mkdir(path);
    const tools = ['tar', 'ssh-keygen', ...'cat expr head mktemp od rm sha256sum sort tail tr wc'.split(' ')];
    for (const tool of tools)
      await symlink((await run('sh', ['-c', 'command -v "$1"', 'sh', tool])).stdout.trim(), join(path, tool));
    const shells = ['sh', 'dash', 'bash', 'busybox'].filter(hasCommand);
    const bare = async (shell: string, bytes: Uint8Array): Promise<string> =>
      judged(bytes, async (file) => {
        const binary = (await run('sh', ['-c', 'command -v "$1"', 'sh', shell])).stdout.trim();
        // Nothing else can be found: no sed, no awk, no grep, no home.
        const words = [...(shell === 'busybox' ? [binary, 'sh'] : [binary]), SCRIPT, file, join(folder, 'packer.pub')];
        return run('/usr/bin/env', ['-i', `PATH=${path}`, ...words], { timeout: 60_000 }).then(
          ({ stdout }) => (stdout.includes('OK: whole and signed') ? 'accepted' : `said ${stdout}`),
          (error: unknown) => ((error as { code: unknown }).code === 4 ? 'refused' : `crashed: ${String(error)}`),
        );
      });
    for (const shell of shells) {
      expect(await bare(shell, good), shell).toBe('accepted');
      expect(await bare(shell, deltaBytes()), shell).toBe('accepted');
      for (const number of numbers(bySize(3, 16)))
        expect(await bare(shell, mutant(good, plan, number).bytes), shell).toBe('refused');
    }
  });

  it('refuses changed deltas as deliver does', { timeout: 120_000 }, async () => {
    const [delta, bytes] = [deltaPlan(), deltaBytes()];
    await inParallel(numbers(bySize(8, 48)), 4, undefined, async (number) => {
      const changed = mutant(bytes, delta, number);
      expect(await judged(changed.bytes, byDeliver), changed.name).toBe('refused');
      expect(await judged(changed.bytes, byScript), changed.name).toBe('refused');
    });
  });
});

/** The small release on top of one that has its first image. */
function deltaPlan(name?: { readonly name: string; readonly version: string }): ReturnType<typeof planBundle> {
  const base = buildRelease({
    version: '3.6.1',
    images: [
      { reference: 'docker.io/library/busybox:1.36', layers: [Buffer.alloc(3000, 'base layer '), Buffer.from('busybox')] },
    ],
  });
  const since = deltaSince(release.lock, { ...baseOfLock(base.lock), ...name });
  const { rootBytes } = planBundle(release.lock, []);
  const made = planBundle(release.lock, [{ armored: signedBy(packer, rootBytes) }], since);
  expect(made.delta?.omitted.length).toBeGreaterThan(0);
  return made;
}

function deltaBytes(name?: { readonly name: string; readonly version: string }): Buffer {
  return bundleBytes(deltaPlan(name), release.content);
}
