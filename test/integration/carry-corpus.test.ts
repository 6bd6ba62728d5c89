import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRange } from '../../src/bundle/byte-source.ts';
import { openSource } from '../../src/bundle/open-source.ts';
import { signCarry } from '../../src/carry/carry-trust.ts';
import { parseCarry, type CarryManifest } from '../../src/carry/manifest.ts';
import { resendCode } from '../../src/carry/resend-code.ts';
import { knownError } from '../../src/cli/known-error.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { ERROR_CLASS } from '../../src/core/error-codes.ts';
import { inParallel } from '../../src/core/in-parallel.ts';
import { repairFlow } from '../../src/flows/repair.ts';
import { resendFlow } from '../../src/flows/resend.ts';
import { verifyCarryFlow } from '../../src/flows/verify-carry.ts';
import { noisyRelease } from '../support/bundles.ts';
import type { CarryCase, Material, Special } from '../support/carry-accidents.ts';
import { carryCase } from '../support/carry-corpus.ts';
import { bytesOf } from '../support/carry-lies.ts';
import { MIB, run, splitBundle } from '../support/carry.ts';
import { signedBundle, signedBy, testKey } from '../support/signed-bundle.ts';
import { bySize } from '../support/size.ts';

/** CORPUS=10000 means 3,000: three for every ten archives of bundle-corpus.test.ts. */
const CORPUS = Math.ceil(Number(process.env['CORPUS'] ?? bySize(40, 3334)) * 0.3);
/** Where it begins, to look at one case: CARRY_FROM=34 CORPUS=1. */
const FROM = Number(process.env['CARRY_FROM'] ?? 0);
/** Milliseconds for one case. */
const LIMIT = 60_000;
const NAME = 'noise-1.0.tar';

const packer = testKey('release@corp');
const stranger = testKey('stranger');
let folder: string;
let trust: string;
let material: Material;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-carry-corpus-'));
  trust = join(folder, 'packer.pub');
  await writeFile(trust, packer.line);
  const bundle = signedBundle(noisyRelease(390_000, 6), [packer]).bytes;
  const other = signedBundle(noisyRelease(390_001, 6), [packer]).bytes;
  const good = await setOf('good', bundle, MIB, 2);
  const carry = parseCarry(good.get(`${NAME}.carry.json`) ?? Buffer.alloc(0));
  if (typeof carry === 'string') throw new Error(carry);
  material = {
    good,
    carry,
    bundle,
    otherBundle: other,
    recut: await setOf('recut', bundle, 2 * MIB, 1),
    other: await setOf('other', other, MIB, 2),
    patch: await patchOf(carry),
    sign: (forged) => signedWith(forged, stranger),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function signedWith(carry: CarryManifest, key: typeof packer): CarryManifest {
  const { signatures, ...body } = carry;
  const bytes = Buffer.from(
    bytesOf({ ...body, signatures: [] })
      .toString()
      .replace('"signatures":[],', ''),
  );
  return { ...carry, signatures: [...signatures, signedBy(key, bytes, 'deliver-carry')] };
}

async function setOf(name: string, bundle: Buffer, volumeSize: number, parity: number): Promise<ReadonlyMap<string, Buffer>> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, NAME), bundle);
  const set = await splitBundle(join(folder, name, NAME), { volumeSize, parity });
  const files = new Map<string, Buffer>();
  for (const file of await readdir(set)) {
    const bytes = await readFile(join(set, file));
    const carry = file.endsWith('.json') ? parseCarry(bytes) : undefined;
    files.set(file, typeof carry === 'object' ? bytesOf(await signCarry(carry, packer.key)) : bytes);
  }
  return files;
}

async function patchOf(carry: CarryManifest): Promise<readonly [string, Buffer]> {
  await writeFile(join(folder, 'good', `${NAME}.carry.json`), bytesOf(carry));
  const code = resendCode(carry, [{ first: 1, count: 1 }]);
  const { path, name } = await run(resendFlow({ path: join(folder, 'good', NAME), code }));
  return [name, await readFile(path)];
}

let folders = 0;
/** The case in a folder of its own, beside a file that nothing may touch. */
async function inFolder<Value>({ files, specials }: CarryCase, work: (path: string) => Promise<Value>): Promise<Value> {
  const around = join(folder, `case-${String(folders++)}`);
  const path = join(around, 'set');
  await mkdir(path, { recursive: true });
  await writeFile(join(around, 'canary'), 'untouched');
  for (const [name, bytes] of files) if (!specials.some((one) => one.name === name)) await writeFile(join(path, name), bytes);
  const ends = await Promise.all(specials.map((one) => place(path, one)));
  try {
    const value = await work(path);
    expect(await readFile(join(around, 'canary'), 'utf8')).toBe('untouched');
    expect(await readdir(around)).toEqual(['canary', 'set']);
    return value;
  } finally {
    for (const end of ends) end();
    await rm(around, { recursive: true, force: true });
  }
}

async function place(path: string, { name, kind, target = '' }: Special): Promise<() => void> {
  const at = join(path, name);
  if (kind === 'folder') await mkdir(at);
  else if (kind === 'link') await symlink(target, at);
  else if (kind === 'fifo') await promisify(execFile)('mkfifo', ['--', at]);
  else {
    const server = createServer().listen(at);
    await once(server, 'listening');
    return () => server.close();
  }
  return () => undefined;
}

type Verdict = 'accepted' | 'refused' | 'mendable';

/** What deliver verify says; anything that it would show as a bug of deliver is thrown. */
async function verdictOf(path: string): Promise<Verdict> {
  try {
    await run(verifyCarryFlow({ bundlePath: path, trust: [trust] }));
    return 'accepted';
  } catch (error) {
    return judged(error);
  }
}

function judged(error: unknown): Verdict {
  const { code, facts } = knownError(error);
  if (ERROR_CLASS[code] === 'bug') throw error;
  return code === 'E_CARRY_DAMAGED' && facts.fix?.startsWith('deliver repair') === true ? 'mendable' : 'refused';
}

async function contentOf(path: string): Promise<string> {
  const { source, close } = await openSource(path);
  const hash = createHash('sha256');
  try {
    for await (const chunk of readRange(source, 0, source.size, undefined, 'reused')) hash.update(chunk);
    return hash.digest('hex');
  } finally {
    await close();
  }
}

/** Which of the packager's two bundles is in a set that was accepted. */
async function contentIs(path: string): Promise<'as it was' | 'another set, whole' | undefined> {
  const content = await contentOf(path);
  if (content === hexOf(digestOf(material.bundle))) return 'as it was';
  // Where nothing but the other set is left, it is what deliver says it is: signed by the packager, under its own id.
  return content === hexOf(digestOf(material.otherBundle)) ? 'another set, whole' : undefined;
}

/** What becomes of a case: how it ends, or what is wrong with that. */
async function fateOf(path: string): Promise<string> {
  const first = await verdictOf(path);
  if (first === 'accepted') return (await contentIs(path)) ?? 'ACCEPTED WITH OTHER CONTENT';
  try {
    await run(repairFlow({ folder: path }));
  } catch (error) {
    judged(error);
    return first === 'mendable' ? 'mendable, but not mended' : 'refused';
  }
  const then = await verdictOf(path);
  if (then === 'mendable') return 'MENDED, BUT NOT WHOLE';
  if (then === 'refused') return 'refused';
  const content = await contentIs(path);
  return content === undefined ? 'MENDED TO OTHER CONTENT' : `mended, ${content}`;
}

it('accepts the set that all the others are made from', async () => {
  const fate = await inFolder({ name: '', files: material.good, specials: [] }, fateOf);
  expect(fate).toBe('as it was');
});

it(
  `never takes one of ${String(CORPUS)} changed carry sets for other content, and breaks at none`,
  { timeout: 60_000 + CORPUS * 2000 },
  async () => {
    const fates = new Map<string, number>();
    const wrong: string[] = [];
    await inParallel(
      Array.from({ length: CORPUS }, (_, at) => FROM + at),
      4,
      undefined,
      async (number) => {
        const made = carryCase(material, number);
        const fate = await Promise.race([
          inFolder(made, fateOf).catch(
            (error: unknown) => `CRASHED: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
          ),
          sleep(LIMIT, 'HANGS', { ref: false }),
        ]);
        fates.set(fate, (fates.get(fate) ?? 0) + 1);
        if (/[A-Z]{4}/.test(fate)) wrong.push(`${made.name}: ${fate}`);
      },
    );
    expect(wrong).toEqual([]);
    // A corpus of which nothing is accepted, or nothing refused, would show nothing.
    for (const fate of ['as it was', 'mended, as it was', 'refused'])
      expect(fates.get(fate) ?? 0, fate).toBeGreaterThanOrEqual(Math.floor(CORPUS / 50));
  },
);
