import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { Report } from '../../src/core/report.ts';
import { bundleBytes, noisyRelease, smallRelease, type TestRelease } from '../support/bundles.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';

let folder: string;
let target: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-write-'));
  target = join(folder, 'out', 'suite.tar');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const release = noisyRelease();
const plan = planBundle(release.lock, []);
const expected = bundleBytes(plan, release.content);
const fetchedDigests = plan.members.flatMap(({ digest, content }) =>
  digest === undefined || content !== undefined ? [] : [digest],
);

async function journalled(): Promise<Digest[]> {
  const text = await readFile(`${target}.part.journal`, 'utf8').catch(() => '');
  return text.split('\n').filter((line): line is Digest => line.startsWith('sha256:'));
}

function notes(): Report & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, progress: () => undefined, note: (line) => void lines.push(line) };
}

it('writes exactly the planned bytes, and leaves nothing beside them', async () => {
  const small = smallRelease();
  const smallPlan = planBundle(small.lock, []);
  const written = await writeBundle(smallPlan, target, new MemoryOrigins(small.content));
  expect(written).toMatchObject({ outcome: 'written', path: target });
  expect(await readFile(target)).toEqual(bundleBytes(smallPlan, small.content));
  expect(await readdir(join(folder, 'out'))).toEqual(['suite.tar']);
  expect((await stat(target)).mode & 0o777).toBe(0o644);
});

it('writes the same bytes whatever the order of arrival', async () => {
  for (const concurrency of [1, 3, 16]) {
    await rm(target, { force: true });
    await writeBundle(plan, target, new MemoryOrigins(release.content), { concurrency });
    expect((await readFile(target)).equals(expected)).toBe(true);
  }
});

it('has no more blobs in flight than it was told, and reports every byte', async () => {
  let most = 0;
  let last = { done: 0, total: 0 };
  const origins: MemoryOrigins = new MemoryOrigins(release.content, {
    beforeChunk: () => void (most = Math.max(most, origins.inFlight)),
  });
  await writeBundle(plan, target, origins, {
    concurrency: 2,
    report: { progress: (progress) => (last = progress), note: () => undefined },
  });
  expect(most).toBe(2);
  expect(last.done).toBe(last.total);
  expect(last.total).toBe([...release.content.values()].reduce((sum, { byteLength }) => sum + byteLength, 0));
});

it('finds the same bundle unchanged, without asking for anything', async () => {
  await writeBundle(plan, target, new MemoryOrigins(release.content));
  const again = new MemoryOrigins(release.content);
  expect(await writeBundle(plan, target, again)).toMatchObject({ outcome: 'unchanged' });
  expect(again.opened).toEqual([]);
});

it('packs anew when the bundle that is there is damaged', async () => {
  const damaged = Buffer.from(expected);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 5000) ^ 1, damaged.length - 5000);
  await writeBundle(plan, target, new MemoryOrigins(release.content));
  await writeFile(target, damaged);
  expect(await writeBundle(plan, target, new MemoryOrigins(release.content))).toMatchObject({ outcome: 'written' });
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it('stops at once when asked, then goes on without repeating a finished blob', async () => {
  const stop = new AbortController();
  const origins = new MemoryOrigins(release.content, { beforeChunk: atChunk(22, stop) });
  const first = writeBundle(plan, target, origins, { concurrency: 2, signal: stop.signal });
  await expect(first).rejects.toThrowWithCode('E_INTERRUPTED', 'goes on');
  const finished = await journalled();
  expect(finished.length).toBeGreaterThan(6);

  const second = new MemoryOrigins(release.content);
  const { fetched } = await writeBundle(plan, target, second);
  expect(fetched).toMatchObject({ keptBlobs: finished.length, fetchedBlobs: fetchedDigests.length - finished.length });
  expect(second.opened.filter((digest) => finished.includes(digest))).toEqual([]);
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it('is stopped by the signal while a source hangs', async () => {
  const stop = new AbortController();
  const hanging = new MemoryOrigins(release.content, {
    beforeChunk: () => {
      stop.abort();
      return new Promise(() => undefined);
    },
  });
  await expect(writeBundle(plan, target, hanging, { signal: stop.signal })).rejects.toThrowWithCode('E_INTERRUPTED');
});

it('does not believe its journal: what a power cut lost is fetched again', async () => {
  const stop = new AbortController();
  const origins = new MemoryOrigins(release.content, { beforeChunk: atChunk(22, stop) });
  await expect(writeBundle(plan, target, origins, { concurrency: 2, signal: stop.signal })).rejects.toThrowWithCode(
    'E_INTERRUPTED',
  );
  const finished = await journalled();
  const lost = plan.members.find(({ digest, size }) => digest !== undefined && finished.includes(digest) && size > 1000);
  const part = await readFile(`${target}.part`);
  part.fill(0, lost?.offset, (lost?.offset ?? 0) + 1000);
  await writeFile(`${target}.part`, part);
  // A torn last line, as a power cut leaves it.
  await writeFile(`${target}.part.journal`, (await readFile(`${target}.part.journal`, 'utf8')).concat('sha256:0123'));

  const second = new MemoryOrigins(release.content);
  await writeBundle(plan, target, second);
  expect(second.opened).toContain(lost?.digest);
  expect(second.opened).toHaveLength(fetchedDigests.length - finished.length + 1);
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it('goes on from an unsigned pack when a key is given the second time', async () => {
  const stop = new AbortController();
  const origins = new MemoryOrigins(release.content, { beforeChunk: atChunk(22, stop) });
  await expect(writeBundle(plan, target, origins, { concurrency: 2, signal: stop.signal })).rejects.toThrowWithCode(
    'E_INTERRUPTED',
  );
  const signed = planBundle(release.lock, [{ armored: 'some signature' }]);
  const { fetched } = await writeBundle(signed, target, new MemoryOrigins(release.content));
  expect(fetched.keptBlobs).toBeGreaterThan(0);
  expect((await readFile(target)).equals(bundleBytes(signed, release.content))).toBe(true);
});

it('starts anew, and says so, when the partial file is of another release', async () => {
  await interruptedPack(release);
  const small = smallRelease();
  const report = notes();
  const smallPlan = planBundle(small.lock, []);
  await writeBundle(smallPlan, target, new MemoryOrigins(small.content), { report });
  expect(report.lines.join()).toContain('starting anew');
  expect(await readFile(target)).toEqual(bundleBytes(smallPlan, small.content));
});

it('leaves a partial file that nobody takes for a bundle, under any name', async () => {
  await interruptedPack(release);
  await expect(openBundle(`${target}.part`)).rejects.toThrowWithCode('E_BUNDLE', 'unfinished pack');
  const renamed = join(folder, 'renamed.tar');
  await writeFile(renamed, await readFile(`${target}.part`));
  await expect(openBundle(renamed)).rejects.toThrowWithCode('E_BUNDLE', 'unfinished pack');
});

it.each([
  ['other bytes', (bytes: Uint8Array) => Buffer.alloc(bytes.byteLength, 'x'), 'E_DIGEST' as const],
  ['too few bytes', (bytes: Uint8Array) => bytes.subarray(1), 'E_SIZE' as const],
  ['too many bytes', (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(2_000_000)]), 'E_SIZE' as const],
])('refuses a source that serves %s, naming it, and spoils no other blob', async (_what, change, code) => {
  const [victim] = fetchedDigests.slice(-1);
  if (victim === undefined) throw new Error('no blob');
  const content = new Map(release.content);
  content.set(victim, change(content.get(victim) ?? new Uint8Array()));
  const work = writeBundle(plan, target, new MemoryOrigins(content), { concurrency: 1 });
  await expect(work).rejects.toThrowWithCode(code, new RegExp(`memory ${victim}[\\s\\S]*expected[\\s\\S]*got[\\s\\S]*\\.part`));
  expect(await readdir(join(folder, 'out'))).toEqual(['suite.tar.part', 'suite.tar.part.journal']);

  await writeBundle(plan, target, new MemoryOrigins(release.content));
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it('tells what was being fetched when a source breaks off', async () => {
  const broken = new MemoryOrigins(release.content, {
    beforeChunk: (_digest, offset) => {
      if (offset > 0) throw new Error('socket hang up');
    },
  });
  await expect(writeBundle(plan, target, broken)).rejects.toThrowWithCode('E_SOURCE', /memory sha256:[\s\S]*socket hang up/);
});

it('refuses a bundle that the disk has no room for, before anything is fetched', async () => {
  const [file] = smallRelease().lock.files;
  const huge = { ...release.lock, files: file === undefined ? [] : [{ ...file, size: 2 ** 50 }] };
  const origins = new MemoryOrigins(release.content);
  await expect(writeBundle(planBundle(huge, []), target, origins)).rejects.toThrowWithCode('E_DISK_FULL', 'bytes are needed');
  expect(origins.opened).toEqual([]);
});

it('says where it may not write', async () => {
  await writeFile(join(folder, 'out'), 'a file');
  await expect(writeBundle(plan, target, new MemoryOrigins(release.content))).rejects.toThrowWithCode('E_OUTPUT');
  if (process.getuid?.() === 0) return;
  await rm(join(folder, 'out'));
  await chmod(folder, 0o500);
  await expect(writeBundle(plan, target, new MemoryOrigins(release.content))).rejects.toThrowWithCode('E_OUTPUT');
  await chmod(folder, 0o700);
});

it('lets only one pack write the same output', async () => {
  const gate = Promise.withResolvers<undefined>();
  const reading = Promise.withResolvers<undefined>();
  const origins = new MemoryOrigins(release.content, {
    beforeChunk: async () => {
      reading.resolve(undefined);
      await gate.promise;
    },
  });
  const first = writeBundle(plan, target, origins);
  await reading.promise;
  await expect(writeBundle(plan, target, new MemoryOrigins(release.content))).rejects.toThrowWithCode(
    'E_OUTPUT',
    'Another deliver is writing',
  );
  gate.resolve(undefined);
  await first;
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it.each([
  ['of a process that is gone', `999999999 ${hostname()} boot 1\n`],
  ['of an earlier process with our number', `${process.pid} ${hostname()} boot 1\n`],
  ['that was never written', ''],
])('takes over a lock %s', async (_what, holder) => {
  await mkdir(join(folder, 'out'));
  await writeFile(`${target}.part.lock`, holder);
  expect(await writeBundle(plan, target, new MemoryOrigins(release.content))).toMatchObject({ outcome: 'written' });
});

it('leaves a lock of another machine alone', async () => {
  await mkdir(join(folder, 'out'));
  await writeFile(`${target}.part.lock`, '1 elsewhere boot 1\n');
  await expect(writeBundle(plan, target, new MemoryOrigins(release.content))).rejects.toThrowWithCode(
    'E_OUTPUT',
    '1 on elsewhere',
  );
});

it.each([1, 8, 13, 18, 23, 28, 33, 38])(
  'goes on after kill -9 at chunk %d without repeating a finished blob, to the same bytes',
  async (chunks) => {
    const log = join(folder, 'opened.log');
    const child = startPack(log, chunks);
    if (child.stdout === null) throw new Error('no output');
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const finished = await journalled();
    if (chunks > 10) expect(finished).not.toEqual([]);
    await rm(log);

    const second = startPack(log);
    const [code] = (await once(second, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect((await openedIn(log)).filter((digest) => finished.includes(digest as Digest))).toEqual([]);
    expect((await readFile(target)).equals(expected)).toBe(true);
    expect(await readdir(join(folder, 'out'))).toEqual(['suite.tar']);
  },
);

async function openedIn(log: string): Promise<string[]> {
  return (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
}

/** Stops the pack when this many chunks were read. */
function atChunk(wanted: number, stop: AbortController): () => void {
  let chunks = 0;
  return () => {
    chunks += 1;
    if (chunks === wanted) stop.abort();
  };
}

function startPack(log: string, chunks = Infinity): ChildProcess {
  const script = new URL('../support/pack-child.ts', import.meta.url).pathname;
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return spawn(process.execPath, [script, target, log, String(chunks)], { stdio: [...stdio], timeout: 20_000 });
}

async function interruptedPack({ lock, content }: TestRelease): Promise<void> {
  const stop = new AbortController();
  const origins = new MemoryOrigins(content, { beforeChunk: atChunk(1, stop) });
  await expect(writeBundle(planBundle(lock, []), target, origins, { signal: stop.signal })).rejects.toThrowWithCode(
    'E_INTERRUPTED',
  );
}
