import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTrustPolicy } from '../../src/bundle/signature/load-trusted-keys.ts';
import { judgeCarry } from '../../src/carry/carry-trust.ts';
import { manifestBytes, parseCarry, signedBytes, type CarryManifest } from '../../src/carry/manifest.ts';
import { keygen } from '../../src/flows/keygen.ts';
import { repairFlow } from '../../src/flows/repair.ts';
import { signCarryFlow } from '../../src/flows/sign-carry.ts';
import { verifyCarryFlow } from '../../src/flows/verify-carry.ts';
import { noisyRelease } from '../support/bundles.ts';
import { MIB, run, splitBundle } from '../support/carry.ts';
import { signedBundle, signedBy, testKey } from '../support/signed-bundle.ts';

const packer = testKey('packer');
const gateway = testKey('gateway');
const stranger = testKey('stranger');
const FIRST = 'noise-1.0.tar.carry.json';
const LAST = 'noise-1.0.tar.carry.end.json';
let folder: string;
let set: string;
let unsigned: CarryManifest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deliver-carry-trust-'));
  const bundle = join(folder, 'noise-1.0.tar');
  await writeFile(bundle, signedBundle(noisyRelease(100_000, 2), [packer, gateway]).bytes);
  set = await splitBundle(bundle, { volumeSize: MIB, parity: 1 });
  const carry = parseCarry(await readFile(join(set, FIRST)));
  if (typeof carry === 'string') throw new Error(carry);
  unsigned = carry;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function signed(...keys: readonly (typeof packer)[]): CarryManifest {
  return { ...unsigned, signatures: keys.map((key) => signedBy(key, signedBytes(unsigned), 'deliver-carry')) };
}

const both = [packer.line, gateway.line];
const judge = async (carry: CarryManifest, keys: readonly string[], threshold = 1, allowUnsigned = false) =>
  judgeCarry(carry, await loadTrustPolicy(keys, threshold), 'x', { allowUnsigned, now: new Date('2026-06-01T00:00:00Z') });

async function put(first: CarryManifest, last = first): Promise<void> {
  await writeFile(join(set, FIRST), manifestBytes(first));
  await writeFile(join(set, LAST), manifestBytes(last));
}

const verify = (threshold = 1, notes: string[] = []) => run(verifyCarryFlow({ bundlePath: set, trust: both, threshold }), notes);

describe('the keys of a carry manifest', () => {
  it('have to be as many different trusted ones as the site wants', async () => {
    expect((await judge(signed(packer, gateway), both, 2))?.signers.map(({ name }) => name)).toEqual(['packer', 'gateway']);
    await expect(judge(signed(packer), both, 2)).rejects.toThrowWithCode('E_UNTRUSTED', 'not by 2 keys');
    await expect(judge(signed(packer, packer), both, 2)).rejects.toThrowWithCode('E_UNTRUSTED', 'By 1 trusted key: packer');
    await expect(judge(signed(packer, stranger), both, 2)).rejects.toThrowWithCode('E_UNTRUSTED', 'deliver sign FOLDER');
    expect((await judge(signed(packer, stranger), both))?.signers).toHaveLength(1);
    expect((await judge(signed(packer), both, 2, true))?.accepted).toMatch(/packer .*; 2 trusted keys are needed$/);
    expect(await judge(unsigned, both, 2)).toBeUndefined();
  });

  it('are held to their time limits', async () => {
    await expect(judge(signed(packer), [`p valid-before="20260101Z" ${packer.line}`])).rejects.toThrowWithCode(
      'E_EXPIRED',
      'The carry manifest in x is signed',
    );
  });

  it('never count for a bundle, nor those of a bundle for them', async () => {
    const crossed = { ...unsigned, signatures: [signedBy(packer, signedBytes(unsigned), 'deliver')] };
    await expect(judge(crossed, both)).rejects.toThrowWithCode('E_SIGNATURE', 'signed for “deliver”');
    await expect(judge({ ...unsigned, signatures: ['{}'] }, both)).rejects.toThrowWithCode('E_SIGNATURE');
  });

  it('are judged by deliver verify with the threshold of the bundle', async () => {
    await put(signed(packer));
    expect((await verify(1)).signers).toHaveLength(2);
    await expect(verify(2)).rejects.toThrowWithCode('E_UNTRUSTED', 'carry manifest');
    await put(signed(packer, gateway));
    expect((await verify(2)).signers).toHaveLength(2);
  });

  it('can be added to where the set lies, in both copies, once', async () => {
    const key = join(folder, 'third');
    await keygen({ path: key, comment: 'third@border' });
    await put(signed(packer));
    const sign = () => run(signCarryFlow({ path: set, keyPaths: [key] }, { askPassphrase: () => Promise.reject(new Error()) }));
    expect(await sign()).toMatchObject({ outcome: 'signed', signatures: 2, root: unsigned.id });
    expect(await sign()).toMatchObject({ outcome: 'unchanged', signatures: 2 });
    expect(await readFile(join(set, FIRST))).toEqual(await readFile(join(set, LAST)));
    const trust = [packer.line, `${key}.pub`];
    await expect(run(verifyCarryFlow({ bundlePath: set, trust, threshold: 2 }))).rejects.toThrowWithCode(
      'E_UNTRUSTED',
      'noise-1.0.carry is',
    );
    expect((await readdir(set)).filter((name) => name.includes('.part'))).toEqual([]);
  });
});

describe('a first manifest that is not the last', () => {
  it.each([
    [
      'a signature that is wrong',
      () => ({ ...unsigned, signatures: ['-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'] }),
    ],
    ['no signature', () => unsigned],
    ['fewer signatures', () => signed(packer)],
  ])('counts for nothing when it has %s, is told, and is written anew by repair', async (_what, worse) => {
    for (const [first, last] of [
      [worse(), signed(packer, gateway)],
      [signed(packer, gateway), worse()],
    ] as const) {
      await put(first, last);
      const notes: string[] = [];
      await verify(2, notes);
      expect(notes.filter((line) => line.includes('has other signatures than'))).toHaveLength(1);
      await run(repairFlow({ folder: set }));
      expect(await readFile(join(set, FIRST))).toEqual(Buffer.from(manifestBytes(signed(packer, gateway))));
      expect(await readFile(join(set, LAST))).toEqual(await readFile(join(set, FIRST)));
    }
  });

  it('is told when it is damaged', async () => {
    await put(signed(packer));
    const text = await readFile(join(set, FIRST), 'utf8');
    await writeFile(join(set, FIRST), text.replace('"1.0"', '"1.1"'));
    const notes: string[] = [];
    await verify(1, notes);
    expect(notes).toContain(`${FIRST} is a carry manifest that is damaged`);
  });
});
