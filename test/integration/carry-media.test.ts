import { chmod, cp, mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { isDeliverError } from '../../src/core/errors.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { inspectBundle } from '../../src/flows/inspect.ts';
import { repairFlow } from '../../src/flows/repair.ts';
import { resendFlow } from '../../src/flows/resend.ts';
import { verifyCarryFlow } from '../../src/flows/verify-carry.ts';
import { bundleFile, MIB, noisyBundle, run, splitBundle } from '../support/carry.ts';
import { mountFat } from '../support/fat.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { packVolumes } from '../support/pack-volumes.ts';

const DELIVER = new URL('../../bin/dev.js', import.meta.url).pathname;
const isRoot = process.getuid?.() === 0;
/** Permissions do not bind root; a mount that is read-only does. */
const canMount = isRoot && (await execa('unshare', ['-m', 'true'], { reject: false })).exitCode === 0;

let bundle: Awaited<ReturnType<typeof bundleFile>>;
let whole: string;
let folder: string;

beforeAll(async () => {
  bundle = await bundleFile();
  whole = await splitBundle(bundle.path);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-media-'));
  return () => rm(folder, { recursive: true, force: true });
});
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

const verify = (path: string) => run(verifyCarryFlow({ bundlePath: path, trust: [], allowUnsigned: true }));

it('verifies a set with one read of every byte', async () => {
  const child = new URL('../support/split-child.ts', import.meta.url).pathname;
  const one = await splitBundle(bundle.path, { volumeSize: 16 * MIB, parity: 0, outputFolder: join(folder, 'one') });
  const manifest = join(one, 'noise-1.0.tar.carry.json');
  const { stdout: idle } = await execa(process.execPath, [child, 'read', manifest]);
  const { stdout: read } = await execa(process.execPath, [child, 'verify', one]);
  const { size } = await stat(join(one, 'noise-1.0.tar.v001'));
  const bytes = Number(read.split('\n').at(-1)) - Number(idle.split('\n').at(-1));
  expect(bytes).toBeGreaterThan(size);
  // The leaf that tells the volume from others is read three times more; the rest are headers, the lock, the threads' code.
  expect(bytes).toBeLessThan(size + 5 * MIB);
});

it.skipIf(isRoot && !canMount)('verifies and inspects in a folder that can’t be written', async () => {
  const medium = join(folder, 'medium');
  await cp(whole, medium, { recursive: true });
  const verb = `"${process.execPath}" "${DELIVER}"`;
  const script = `touch "$1/probe" 2>/dev/null && exit 99; ${verb} verify "$1" --allow-unsigned && ${verb} inspect "$1"`;
  const mounted = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && { ${script}; }`;
  if (!isRoot) await chmod(medium, 0o555);
  const command = isRoot ? ['unshare', '-m', 'sh', '-c', mounted] : ['sh', '-c', script];
  const [program = '', ...args] = command;
  const { stdout, exitCode } = await execa(program, [...args, 'sh', medium], { reject: false, all: true });
  await chmod(medium, 0o755);
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toContain('noise 1.0 is whole');
  expect((await readdir(medium)).sort()).toEqual((await readdir(whole)).sort());
});

it('splits, packs, verifies and repairs on a FAT file system, with 8.3 names', async (test) => {
  const medium = await mountFat(folder);
  if (medium === undefined) {
    test.skip('no FAT file system can be mounted here (dosfstools, and vfat in the kernel or fusefat)');
    return;
  }
  try {
    await splitBundle(bundle.path, { outputFolder: medium.path, names: '8.3' });
    const names = (await readdir(medium.path)).sort();
    expect(names).toEqual(
      [
        'noise10.cre',
        'noise10.crj',
        ...[1, 2, 3, 4].map((n) => `noise00${String(n)}.vol`),
        'noise001.par',
        'noise002.par',
      ].sort(),
    );
    const before = await readFile(join(medium.path, 'noise002.vol'));
    await rm(join(medium.path, 'noise002.vol'));
    await run(repairFlow({ folder: medium.path }));
    expect((await readFile(join(medium.path, 'noise002.vol'))).equals(before)).toBe(true);
    expect((await verify(medium.path)).release).toBe('noise');
    if (!medium.isOfKernel) return;
    for (const name of names) await rm(join(medium.path, name));
    const { lock, content } = noisyBundle();
    await packVolumes(planBundle(lock, []), medium.path, new MemoryOrigins(content), { names: '8.3' });
    expect((await readdir(medium.path)).sort()).toEqual(names);
    expect((await readFile(join(medium.path, 'noise002.vol'))).equals(before)).toBe(true);
  } finally {
    await medium.unmount();
  }
});

it('removes a patch volume when a repair has written what it brought into the volumes', async () => {
  const plain = await splitBundle(bundle.path, { parity: 0, outputFolder: join(folder, 'set') });
  const volume = join(plain, 'noise-1.0.tar.v002');
  const before = await readFile(volume);
  const handle = await open(volume, 'r+');
  await handle.write(Buffer.alloc(5000, 7), 0, 5000, MIB + 17);
  await handle.close();
  const error: unknown = await verify(plain).catch((thrown: unknown) => thrown);
  if (!isDeliverError(error, 'E_CARRY_DAMAGED')) throw error;
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{1,4})+/.exec(error.facts.fix ?? '')?.[0] ?? '';
  const patch = await run(resendFlow({ path: bundle.path, code, carryFolder: plain, outputFolder: plain }));
  expect((await verify(plain)).release).toBe('noise');
  const repaired = await run(repairFlow({ folder: plain }));
  expect(repaired.removed).toEqual([patch.name]);
  expect((await readdir(plain)).filter((name) => name.endsWith('.dp'))).toEqual([]);
  expect((await readFile(volume)).equals(before)).toBe(true);
  expect((await inspectBundle(plain)).release).toBe('noise');
});
