import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { planBundle, type BundlePlan } from '../../src/bundle/plan.ts';
import type { Digest } from '../../src/core/digest.ts';
import { seeded } from '../e2e/support/random.ts';
import { bundleFile, noisyBundle, splitBundle } from '../support/carry.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { packVolumes } from '../support/pack-volumes.ts';
import { bySize } from '../support/size.ts';

const { lock, content } = noisyBundle();
let plan: BundlePlan;
let bundle: Awaited<ReturnType<typeof bundleFile>>;
/** What pack and then split make. */
let reference: string;
let folder: string;
let out: string;

beforeAll(async () => {
  plan = planBundle(lock, []);
  bundle = await bundleFile();
  reference = await splitBundle(bundle.path);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-carry-pack-'));
  out = join(folder, 'noise-1.0.carry');
  return () => rm(folder, { recursive: true, force: true });
});
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

async function expectReference(): Promise<void> {
  expect((await readdir(out)).sort()).toEqual((await readdir(reference)).sort());
  for (const name of await readdir(reference))
    expect((await readFile(join(out, name))).equals(await readFile(join(reference, name))), name).toBe(true);
}

it('writes the same files as pack and then split, and no bundle beside them', async () => {
  const origins = new MemoryOrigins(content);
  expect((await packVolumes(plan, out, origins)).outcome).toBe('written');
  await expectReference();
  // The copy of the carry manifest is for a resend.
  expect(await readdir(folder)).toEqual([basename(out), expect.stringMatching(/^noise-1\.0\.tar\.[0-9a-f]{6}\.carry\.json$/)]);
});

it('asks for nothing when the set is there and whole', async () => {
  await packVolumes(plan, out, new MemoryOrigins(content));
  const second = new MemoryOrigins(content);
  expect((await packVolumes(plan, out, second)).outcome).toBe('unchanged');
  expect(second.opened).toEqual([]);
});

it.each(['noise-1.0.tar.v002', 'noise-1.0.tar.p001'])('writes the set anew when %s is damaged', async (name) => {
  await packVolumes(plan, out, new MemoryOrigins(content));
  const bytes = await readFile(join(out, name));
  bytes.writeUInt8(bytes.readUInt8(123_456) ^ 1, 123_456);
  await writeFile(join(out, name), bytes);
  expect((await packVolumes(plan, out, new MemoryOrigins(content))).outcome).toBe('written');
  await expectReference();
});

it('takes blobs from the set that is there, but for those that are damaged', async () => {
  await packVolumes(plan, out, new MemoryOrigins(content));
  const name = join(out, 'noise-1.0.tar.v002');
  const bytes = await readFile(name);
  bytes.writeUInt8(bytes.readUInt8(1_000_000) ^ 1, 1_000_000);
  await writeFile(name, bytes);
  const second = new MemoryOrigins(content);
  const { fetched } = await packVolumes(plan, out, second, { near: { folder } });
  expect(second.opened).toHaveLength(1);
  expect(fetched.nearBlobs).toBeGreaterThan(1);
  await expectReference();
});

it('gives the remaining files their names when it was killed while it did so, and fetches nothing', async () => {
  await packVolumes(plan, out, new MemoryOrigins(content));
  for (const name of [
    'noise-1.0.tar.v003',
    'noise-1.0.tar.v004',
    'noise-1.0.tar.p001',
    'noise-1.0.tar.p002',
    'noise-1.0.tar.carry.end.json',
  ])
    await rename(join(out, name), join(out, `${name}.part`));
  const second = new MemoryOrigins(content);
  expect((await packVolumes(plan, out, second)).outcome).toBe('unchanged');
  expect(second.opened).toEqual([]);
  await expectReference();
});

it.each(bySize([1, 150], [1, 40, 100, 150]))(
  'goes on after kill -9 at chunk %d without repeating a finished blob',
  async (chunks) => {
    const log = join(folder, 'opened.log');
    await killed([log, String(chunks)], 'waiting to be killed', 0);
    const finished = await journalled();
    if (chunks > 100) expect(finished).not.toEqual([]);
    expect((await readdir(out)).filter((name) => !/\.part(?:\.[a-z]+)?$/.test(name))).toEqual([]);
    const second = new MemoryOrigins(content);
    const { fetched } = await packVolumes(plan, out, second);
    expect(second.opened.filter((digest) => finished.includes(digest))).toEqual([]);
    expect(fetched.keptBlobs).toBe(finished.length);
    await expectReference();
  },
);

it('ends with the same files wherever it is killed, also while it makes parity and names', async () => {
  const random = seeded(19);
  for (let round = 0; round < bySize(1, 6); round++) {
    const log = join(folder, `opened-${String(round)}.log`);
    await killed([log], 'begins', random() * 1500);
    for (const name of (await readdir(out).catch(() => [])).filter((found) => !/\.part(?:\.[a-z]+)?$/.test(found)))
      expect((await readFile(join(out, name))).equals(await readFile(join(reference, name))), name).toBe(true);
    const finished = await journalled();
    const second = new MemoryOrigins(content);
    await packVolumes(plan, out, second);
    expect(second.opened.filter((digest) => finished.includes(digest))).toEqual([]);
    await expectReference();
    await rm(out, { recursive: true });
  }
}, 120_000);

async function journalled(): Promise<readonly Digest[]> {
  const text = await readFile(join(out, 'noise-1.0.tar.carry.json.part.journal'), 'utf8').catch(() => '');
  return text.split('\n').filter((line): line is Digest => line.startsWith('sha256:'));
}

/** Starts a pack into volumes, and kills it so many milliseconds after it said a word. */
async function killed(args: readonly string[], word: string, after: number): Promise<void> {
  const script = new URL('../support/pack-volumes-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, out, ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 50_000 });
  const gone = once(child, 'close');
  const said = Promise.withResolvers<undefined>();
  let heard = '';
  child.stdout.on('data', (text: Buffer) => {
    heard += text.toString();
    if (heard.includes(word)) said.resolve(undefined);
  });
  await Promise.race([said.promise, gone]);
  await sleep(after);
  child.kill('SIGKILL');
  await gone;
}
