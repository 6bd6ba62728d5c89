import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openNear } from '../../src/bundle/near-blobs.ts';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { PartBytes } from '../../src/bundle/part-bytes.ts';
import { planBundle, type BundlePlan } from '../../src/bundle/plan.ts';
import { writeBundle, type WriteOptions, type WrittenBundle } from '../../src/bundle/write-bundle.ts';
import type { Report } from '../../src/core/report.ts';
import { bundleBytes, buildRelease, type TestRelease } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { noise } from '../support/images.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';

// Longer than the steps in which a thread says how far it is.
const LAYER = 18_000_000;
const layers = ['one', 'two', 'three'].map((seed) => noise(LAYER, seed));
const release = (version: string): TestRelease =>
  buildRelease({ version, images: [{ reference: 'docker.io/library/big:1', layers }] });
const [before, after] = [release('1'), release('2')];
const plan: BundlePlan = planBundle(after.lock, []);
const expected = bundleBytes(plan, after.content);

interface Scene {
  readonly folder: string;
  readonly earlier: string;
  readonly target: string;
  readonly origins: MemoryOrigins;
  readonly notes: string[];
  pack(options?: WriteOptions): Promise<WrittenBundle>;
}

/** An earlier bundle that has all that the next one needs, and a source that has it too. */
async function scene(): Promise<Scene> {
  const folder = await folderWith();
  const [earlier, target] = [join(folder, 'suite-1.tar'), join(folder, 'suite-2.tar')];
  await writeFile(earlier, bundleBytes(planBundle(before.lock, []), before.content));
  const origins = new MemoryOrigins(after.content);
  const notes: string[] = [];
  const report: Report = { progress: () => undefined, note: (line) => notes.push(line) };
  return {
    folder,
    earlier,
    target,
    origins,
    notes,
    pack: (options = {}) => writeBundle(plan, target, origins, { near: { folder }, concurrency: 1, report, ...options }),
  };
}

/** Changes one bit in the middle of every layer. */
async function damageLayers(path: string): Promise<void> {
  const bundle = await openBundle(path);
  await bundle.close();
  const file = await open(path, 'r+');
  for (const { offset, size } of bundle.blobs.values()) {
    if (size !== LAYER) continue;
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset + LAYER / 2);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await file.write(byte, 0, 1, offset + LAYER / 2);
  }
  await file.close();
}

it('fetches what an earlier bundle holds damaged, and says so once', async () => {
  const { earlier, target, origins, notes, pack } = await scene();
  await damageLayers(earlier);
  const { fetched } = await pack();
  expect(fetched).toMatchObject({ fetchedBlobs: 3, fetchedBytes: 3 * LAYER });
  expect(origins.opened).toHaveLength(3);
  expect(notes).toEqual([expect.stringMatching(/suite-1\.tar is damaged.*fetched instead/)]);
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it('fetches what is missing when an earlier bundle is cut off while it is read', async () => {
  const { earlier, target, origins, notes, pack } = await scene();
  let cut = false;
  const report: Report = {
    progress: ({ done }) => {
      if (cut || done < LAYER / 2) return;
      cut = true;
      truncateSync(earlier, LAYER / 2);
    },
    note: (line) => notes.push(line),
  };
  const { fetched } = await pack({ report });
  expect(fetched.fetchedBlobs).toBeGreaterThanOrEqual(2);
  expect(origins.opened).toHaveLength(fetched.fetchedBlobs);
  expect(notes).toEqual([expect.stringContaining('suite-1.tar is damaged')]);
  expect((await readFile(target)).equals(expected)).toBe(true);
});

it('tells a disk that is full as that, not as damage of the earlier bundle', async () => {
  const { folder, notes } = await scene();
  const full = await open('/dev/full', 'r+');
  const near = await openNear(plan, { folder }, { progress: () => undefined, note: (line) => notes.push(line) });
  try {
    const member = plan.members.find(({ size }) => size === LAYER);
    if (member?.digest === undefined) throw new Error('the plan has no layer');
    const { digest, offset, size } = member;
    const copied = near.copy(
      { digest, offset, size },
      new PartBytes([full], plan.size, plan.size),
      () => undefined,
      new AbortController().signal,
    );
    await expect(copied).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(notes).toEqual([]);
  } finally {
    await near.close();
    await full.close();
  }
});

it('fetches everything when the earlier bundle in the folder is cut off, and refuses one that was named and is gone', async () => {
  const { folder, earlier, target, pack } = await scene();
  await truncate(earlier, 2 * LAYER);
  expect((await pack()).fetched.nearBlobs).toBe(0);
  expect((await readFile(target)).equals(expected)).toBe(true);
  await rm(target);
  const gone = join(folder, 'gone.tar');
  await expect(pack({ near: { bundles: [gone] } })).rejects.toThrowWithCode('E_FILE_NOT_FOUND', 'gone.tar');
});

// The manifest and a layer were in the journal; two layers and the config are still to be brought.
it.each([
  { state: 'there', fetchedBlobs: 0, nearBlobs: 3 },
  { state: 'damaged', fetchedBlobs: 2, nearBlobs: 1 },
  { state: 'gone', fetchedBlobs: 3, nearBlobs: 0 },
])(
  'goes on after kill -9 in the middle of a copy, to the same bytes; the earlier bundle is $state',
  async ({ state, fetchedBlobs, nearBlobs }) => {
    const { folder, earlier, target, origins, pack } = await scene();
    const lockPath = join(folder, 'lock.json');
    await writeFile(lockPath, JSON.stringify(after.lock));
    const script = new URL('../support/pack-again-child.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, target, lockPath, folder, String(1.2 * LAYER)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 40_000,
      killSignal: 'SIGKILL',
    });
    const gone = once(child, 'exit');
    const first = await Promise.race([once(child.stdout, 'data'), gone]);
    expect(String(first[0])).toContain('waiting to be killed');
    child.kill('SIGKILL');
    await gone;
    if (state === 'damaged') await damageLayers(earlier);
    if (state === 'gone') await rm(earlier);

    const { fetched } = await pack();
    expect(fetched).toMatchObject({ keptBlobs: 2, fetchedBlobs, nearBlobs });
    expect(origins.opened).toHaveLength(fetchedBlobs);
    expect((await readFile(target)).equals(expected)).toBe(true);
  },
);
