import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, mkdtemp, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { allVolumes, manifestBytes, parseCarry, type CarryManifest } from '../../src/carry/manifest.ts';
import { isDeliverError } from '../../src/core/errors.ts';
import { inspectBundle } from '../../src/flows/inspect.ts';
import { repairFlow } from '../../src/flows/repair.ts';
import { resendFlow } from '../../src/flows/resend.ts';
import { verifyCarryFlow } from '../../src/flows/verify-carry.ts';
import { seeded } from '../e2e/support/random.ts';
import { bundleFile, MIB, run, splitBundle } from '../support/carry.ts';
import { hasCommand } from '../support/has-command.ts';
import { bySize } from '../support/size.ts';

let bundle: Awaited<ReturnType<typeof bundleFile>>;
/** A whole carry set: 4 volumes of 3 MiB, the last one short, and 2 parity volumes. */
let whole: string;

beforeAll(async () => {
  bundle = await bundleFile();
  whole = await splitBundle(bundle.path);
});
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

async function copyOf(folder: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'deliver-carry-copy-'));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  await cp(folder, copy, { recursive: true });
  return copy;
}

async function manifestOf(folder: string): Promise<CarryManifest> {
  const carry = parseCarry(await readFile(join(folder, 'noise-1.0.tar.carry.json')));
  if (typeof carry === 'string') throw new Error(carry);
  return carry;
}

/** Changes one byte of a MiB of a volume. */
async function damage(folder: string, volume: string, leaf: number): Promise<void> {
  const handle = await open(join(folder, volume), 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, leaf * MIB + 77);
  await handle.write(Buffer.from([byte.readUInt8() ^ 0x40]), 0, 1, leaf * MIB + 77);
  await handle.close();
}

async function expectSame(folder: string, other: string): Promise<void> {
  for (const { name } of allVolumes(await manifestOf(other)))
    expect((await readFile(join(folder, name))).equals(await readFile(join(other, name))), name).toBe(true);
}

const verify = async (folder: string, notes: string[] = []) =>
  run(verifyCarryFlow({ bundlePath: folder, trust: [], allowUnsigned: true }), notes);
const repair = async (folder: string) => run(repairFlow({ folder }));

it('holds the bundle and nothing else: the volumes one after the other are its bytes', async () => {
  const { volumes } = await manifestOf(whole);
  const joined = Buffer.concat(await Promise.all(volumes.map(({ name }) => readFile(join(whole, name)))));
  expect(joined.equals(bundle.bytes)).toBe(true);
  expect((await readdir(whole)).filter((name) => name.includes('.part'))).toEqual([]);
});

it('is read in place by whoever reads bundles', async () => {
  const [inFile, inVolumes] = await Promise.all([inspectBundle(bundle.path), inspectBundle(whole)]);
  expect({ ...inVolumes, path: '' }).toEqual({ ...inFile, path: '' });
  expect((await inspectBundle(join(whole, 'noise-1.0.tar.carry.json'))).root).toBe(inFile.root);
  expect((await verify(whole)).root).toBe(inFile.root);
});

it('is made of the same bytes each time', async () => {
  const copy = await copyOf(whole);
  const again = await splitBundle(bundle.path, { outputFolder: copy });
  await expectSame(again, whole);
  expect(await readFile(join(again, 'noise-1.0.tar.carry.json'))).toEqual(
    await readFile(join(whole, 'noise-1.0.tar.carry.json')),
  );
});

it('mends any loss of up to K volumes and any MiBs up to K in a row, byte for byte', async () => {
  const volumes = allVolumes(await manifestOf(whole));
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = seeded(seed);
      const folder = await copyOf(whole);
      const lost = new Set<number>();
      for (let count = Math.floor(random() * 3); count > 0; count--) lost.add(Math.floor(random() * volumes.length));
      for (let row = 0; row < 3; row++) {
        const hurt = new Set(lost);
        while (hurt.size < 2 && random() < 0.8) {
          const index = Math.floor(random() * volumes.length);
          const volume = volumes[index];
          if (hurt.has(index) || volume === undefined || volume.leaves.length <= row) continue;
          hurt.add(index);
          await damage(folder, volume.name, row);
        }
      }
      for (const index of lost) await rm(join(folder, volumes[index]?.name ?? ''));
      await repair(folder);
      await expectSame(folder, whole);
    }),
    { seed: 4, numRuns: bySize(3, 10) },
  );
}, 90_000);

it('refuses one loss more than K, changes nothing, and the code it gives is enough', async () => {
  const folder = await copyOf(whole);
  await rm(join(folder, 'noise-1.0.tar.v001'));
  await rm(join(folder, 'noise-1.0.tar.p002'));
  await damage(folder, 'noise-1.0.tar.v003', 1);
  const before = await readFile(join(folder, 'noise-1.0.tar.v003'));
  const error: unknown = await repair(folder).catch((thrown: unknown) => thrown);
  if (!isDeliverError(error, 'E_CARRY_DAMAGED')) throw error;
  expect(await readFile(join(folder, 'noise-1.0.tar.v003'))).toEqual(before);
  expect((await readdir(folder)).filter((name) => name.includes('.part'))).toEqual([]);
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{1,4})+/.exec(error.facts.fix ?? '')?.[0] ?? '';
  expect(error.facts.details).toEqual(['The code covers MiB 7 of noise-1.0.tar.']);
  const patch = await run(resendFlow({ path: bundle.path, code, outputFolder: folder }));
  expect(patch.leaves).toBe(1);
  expect((await stat(patch.path)).size).toBeLessThan(1.01 * MIB);
  await repair(folder);
  await expectSame(folder, whole);
  await verify(folder);
});

it('verifies a set whose damage a patch covers, without a repair', async () => {
  const plain = await splitBundle(bundle.path, { parity: 0, outputFolder: join(bundle.folder, 'no-parity') });
  const folder = await copyOf(plain);
  await damage(folder, 'noise-1.0.tar.v002', 2);
  const error: unknown = await verify(folder).catch((thrown: unknown) => thrown);
  if (!isDeliverError(error, 'E_CARRY_DAMAGED')) throw error;
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{1,4})+/.exec(error.facts.fix ?? '')?.[0] ?? '';
  await run(resendFlow({ path: bundle.path, code, outputFolder: folder }));
  expect((await verify(folder)).release).toBe('noise');
});

it('says per volume what is whole, damaged and missing, what is renamed and what is foreign', async () => {
  const folder = await copyOf(whole);
  await damage(folder, 'noise-1.0.tar.v002', 1);
  await rm(join(folder, 'noise-1.0.tar.v004'));
  await rename(join(folder, 'noise-1.0.tar.v003'), join(folder, '8F3A0C.BIN'));
  await writeFile(join(folder, 'autorun.inf'), 'hello');
  await rm(join(folder, 'noise-1.0.tar.carry.json'));
  const notes: string[] = [];
  await expect(verify(folder, notes)).rejects.toThrowWithCode('E_CARRY_DAMAGED', 'parity can mend all');
  expect(notes).toEqual([
    '8F3A0C.BIN is noise-1.0.tar.v003, renamed',
    'only noise-1.0.tar.carry.end.json is there of the two carry manifests',
    'autorun.inf does not belong to this carry set',
    `v001 ${'█'.repeat(32)} whole`,
    expect.stringMatching(/^v002 █+▒+█+ 1 MiB damaged, mendable$/),
    `v003 ${'█'.repeat(32)} whole`,
    `v004 ${'·'.repeat(32)} missing, mendable`,
    `p001 ${'█'.repeat(32)} whole`,
    `p002 ${'█'.repeat(32)} whole`,
  ]);
});

it('never takes the bundle that lies beside its volumes for one of them', async () => {
  const folder = await copyOf(whole);
  await copyFile(bundle.path, join(folder, 'noise-1.0.tar'));
  await rm(join(folder, 'noise-1.0.tar.v001'));
  await repair(folder);
  await expectSame(folder, whole);
  expect((await readFile(join(folder, 'noise-1.0.tar'))).equals(bundle.bytes)).toBe(true);
});

it('mends a volume that was cut short or grew', async () => {
  const folder = await copyOf(whole);
  await truncate(join(folder, 'noise-1.0.tar.v002'), MIB + 5);
  await truncate(join(folder, 'noise-1.0.tar.v001'), 4 * MIB);
  await repair(folder);
  await expectSame(folder, whole);
});

it('names the volume that is missing to whoever opens the set, and damage to whoever reads a blob', async () => {
  const folder = await copyOf(whole);
  await rm(join(folder, 'noise-1.0.tar.v002'));
  await expect(openBundle(folder)).rejects.toThrowWithCode('E_CARRY_DAMAGED', 'noise-1.0.tar.v002');
});

it('refuses a code of another carry set, and a bundle that is not the one that was cut', async () => {
  const folder = await copyOf(whole);
  const other = await splitBundle(bundle.path, { volumeSize: 2 * MIB, parity: 0, outputFolder: join(bundle.folder, 'other') });
  await rm(join(other, 'noise-1.0.tar.v001'));
  const error: unknown = await verify(other).catch((thrown: unknown) => thrown);
  if (!isDeliverError(error, 'E_CARRY_DAMAGED')) throw error;
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{1,4})+/.exec(error.facts.fix ?? '')?.[0] ?? '';
  await expect(run(resendFlow({ path: folder, code }))).rejects.toThrowWithCode('E_RESEND_CODE', 'another carry set');
  const wrong = join(folder, 'wrong.tar');
  await writeFile(wrong, Buffer.alloc(bundle.bytes.length));
  await expect(run(resendFlow({ path: wrong, code, carryFolder: other }))).rejects.toThrowWithCode('E_DIGEST');
});

it('does not believe a carry manifest that was changed', async () => {
  const folder = await copyOf(whole);
  for (const name of ['noise-1.0.tar.carry.json', 'noise-1.0.tar.carry.end.json']) {
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.replace('"version":"1.0"', '"version":"1.1"'));
  }
  await expect(verify(folder)).rejects.toThrowWithCode('E_CARRY', 'its id is not the digest');
});

it.each([
  ['a sign that can’t be shown', 'noise\u0007.tar'],
  ['more letters than a file can be numbered with', `${'n'.repeat(198)}.tar`],
])('is not made of a bundle whose name has %s', async (_what, name) => {
  const folder = await copyOf(bundle.folder);
  await rename(join(folder, basename(bundle.path)), join(folder, name));
  await expect(splitBundle(join(folder, name), { outputFolder: join(folder, 'set') })).rejects.toThrowWithCode('E_USAGE', 'name');
  expect(await readdir(folder)).not.toContain('set');
});

it.skipIf(!hasCommand('ssh-keygen'))('is signed by the packager, and a stranger’s signature is refused', async () => {
  const keys = await mkdtemp(join(tmpdir(), 'deliver-carry-key-'));
  onTestFinished(() => rm(keys, { recursive: true, force: true }));
  for (const name of ['mine', 'other'])
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(keys, name)]);
  const folder = await splitBundle(bundle.path, { outputFolder: join(keys, 'set'), signKeyPaths: [join(keys, 'mine')] });
  const trusting = (key: string) =>
    run(verifyCarryFlow({ bundlePath: folder, trust: [join(keys, `${key}.pub`)], allowUnsigned: false }));
  await expect(trusting('other')).rejects.toThrowWithCode('E_UNTRUSTED', 'carry manifest');
  // The carry manifest is accepted; the bundle inside is not signed.
  await expect(trusting('mine')).rejects.toThrowWithCode('E_UNSIGNED');
  const carry = await manifestOf(folder);
  const forged = { ...carry, signatures: carry.signatures.map((text) => text.replace(/\n.{8}/, '\nAAAABBBB')) };
  for (const name of ['noise-1.0.tar.carry.json', 'noise-1.0.tar.carry.end.json'])
    await writeFile(join(folder, name), manifestBytes(forged));
  await expect(trusting('mine')).rejects.toThrowWithCode('E_SIGNATURE');
});

it.each(['split', 'repair'])(
  'leaves no half file under a final name when %s is killed, and does it all when run again',
  async (verb) => {
    const random = seeded(verb.length);
    for (let round = 0; round < bySize(1, 4); round++) {
      const folder = verb === 'split' ? join(bundle.folder, 'noise-1.0.carry') : await copyOf(whole);
      const path = verb === 'split' ? bundle.path : folder;
      const reference = verb === 'split' ? await copyOf(whole) : whole;
      if (verb === 'split') await rm(folder, { recursive: true });
      else for (const name of ['v001', 'p001']) await rm(join(folder, `noise-1.0.tar.${name}`));
      const child = spawn(process.execPath, [new URL('../support/split-child.ts', import.meta.url).pathname, verb, path]);
      // Listened for from the start: the child may be done, and gone, before it is killed.
      const gone = once(child, 'close');
      await once(child.stdout, 'data');
      await sleep(random() * 150);
      child.kill('SIGKILL');
      await gone;
      const volumes = new Map(allVolumes(await manifestOf(reference)).map((volume) => [volume.name, volume]));
      for (const name of await readdir(folder).catch(() => [])) {
        if (volumes.has(name))
          expect((await readFile(join(folder, name))).equals(await readFile(join(reference, name)))).toBe(true);
      }
      if (verb === 'split') await splitBundle(path);
      else await repair(folder);
      await expectSame(folder, reference);
      expect((await readdir(folder)).filter((name) => name.includes('.part'))).toEqual([]);
    }
  },
  120_000,
);
