import { execa } from 'execa';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestBytes, parseCarry, parityOf, withId } from '../../src/carry/manifest.ts';
import { parseResendCode, resendCode } from '../../src/carry/resend-code.ts';
import { digestOf } from '../../src/core/digest.ts';
import { isDeliverError } from '../../src/core/errors.ts';
import { resendFlow } from '../../src/flows/resend.ts';
import { bundleFile, MIB, run, splitBundle } from '../support/carry.ts';
import { Dice } from '../support/corpus.ts';
import { bySize } from '../support/size.ts';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;
/** MB of JavaScript heap for manifests of at most 64 MiB: without limits a tenth of that would take all of it. */
const HEAP = 400;

let bundle: Awaited<ReturnType<typeof bundleFile>>;
let set: string;
beforeAll(async () => {
  bundle = await bundleFile();
  set = await splitBundle(bundle.path);
});
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

const verb = (args: readonly string[]) =>
  execa(process.execPath, [`--max-old-space-size=${String(HEAP)}`, DEV, ...args], {
    reject: false,
    timeout: 60_000,
    stdin: 'ignore',
    env: { DEBUG: '' },
  });

/** MiB of a manifest, and volumes that one names. */
const BOMB = bySize(15, 60);
const MANY = bySize(20_000, 150_000);
const START = '{"apiVersion":"deliver-carry/v1","bundle":{"name":"x.tar","size":1},';
const filled = (item: string, before: string): string => START + before + item.repeat(Math.floor((BOMB * MIB) / item.length));

it.each([
  ['lists in lists', () => filled('[', '"k":')],
  ['objects in objects', () => filled('{"a":', '"k":')],
  ['volumes that are none', () => `${filled('{},', '"volumes":[')}{}]}`],
  ['leaves that are none', () => `${filled('0,', '"volumes":[{"leaves":[')}0]}]}`],
  ['leaves that are empty', () => `${filled('"",', '"volumes":[{"leaves":[')}""]}]}`],
  ['keys that nobody knows', () => `${filled('"k":0,', '')}"l":0}`],
  ['one long name', () => `${filled('x', '"id":"')}"}`],
  ['bytes that are no text', () => filled('\u0000', '"id":"')],
])(`a carry manifest of ${String(BOMB)} MiB of %s is refused in little memory`, { timeout: 120_000 }, async (_what, make) => {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-bomb-'));
  try {
    await writeFile(join(folder, 'x.tar.carry.json'), make());
    const { exitCode, stderr } = await verb(['verify', folder, '--allow-unsigned']);
    expect({ exitCode, code: /E_[A-Z]+/.exec(stderr)?.[0] }).toEqual({ exitCode: 4, code: 'E_CARRY' });
    expect(stderr.length).toBeLessThan(4000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it(
  'is not read at all when it is longer than any carry manifest, nor is a patch that never ends',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'deliver-bomb-'));
    try {
      for (const name of await readdir(set)) await writeFile(join(folder, name), await readFile(join(set, name)));
      for (const [name, start] of [
        ['bomb.carry.json', START],
        ['bomb.dp', '{"apiVersion":"deliver-patch/v1",'],
      ] as const) {
        const handle = await open(join(folder, name), 'w');
        await handle.write(start);
        await handle.truncate(2 ** 42);
        await handle.close();
      }
      expect(await verb(['verify', folder, '--allow-unsigned'])).toMatchObject({ exitCode: 0 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

it(
  `is judged and not mended when it names ${MANY.toLocaleString('en')} volumes of which none is there`,
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'deliver-bomb-'));
    try {
      const hash = '0'.repeat(64);
      const volumes = Array.from({ length: MANY }, (_, at) => ({
        name: `x.v${String(at)}`,
        size: MIB,
        sha256: hash,
        leaves: [hash],
      }));
      const body = withId({
        apiVersion: 'deliver-carry/v1',
        bundle: { name: 'x.tar', size: volumes.length * MIB },
        leafSize: MIB,
        parity: parityOf([]),
        release: { name: 'x', version: '1' },
        root: digestOf('x'),
        volumeSize: MIB,
        volumes,
      });
      const bytes = manifestBytes({ ...body, signatures: [] });
      expect(parseCarry(bytes)).toMatchObject({ id: body.id });
      await mkdir(join(folder, 'set'));
      await writeFile(join(folder, 'set', 'x.tar.carry.json'), bytes);
      expect(await verb(['repair', join(folder, 'set')])).toMatchObject({ exitCode: 4 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

it('a resend code with a wrong letter, two swapped, one lost or one more is never taken for another', async () => {
  const carry = parseCarry(await readFile(join(set, 'noise-1.0.tar.carry.json')));
  if (typeof carry === 'string') throw new Error(carry);
  const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split('');
  for (let number = 0; number < bySize(600, 3000); number++) {
    const dice = new Dice(number);
    const runs = [
      { first: dice.roll(4), count: 1 + dice.roll(3) },
      { first: 8 + dice.roll(1000), count: 1 + dice.roll(200) },
    ].slice(dice.roll(2));
    const code = resendCode(carry, runs).replaceAll('-', '');
    expect(parseResendCode(code).runs).toEqual(runs);
    const at = dice.roll(code.length);
    const other = dice.pick([
      code.slice(0, at) + dice.pick(LETTERS) + code.slice(at + 1),
      code.slice(0, at) + (code[at + 1] ?? '') + (code[at] ?? '') + code.slice(at + 2),
      code.slice(0, at) + code.slice(at + 1),
      code.slice(0, at) + dice.pick([...LETTERS, 'U', '!', 'é']) + code.slice(at),
    ]);
    if (other === code) continue;
    const error: unknown = await run(resendFlow({ path: bundle.path, code: other, carryFolder: set })).catch(
      (thrown: unknown) => thrown,
    );
    expect(isDeliverError(error, 'E_RESEND_CODE'), `${code} → ${other}: ${String(error)}`).toBe(true);
  }
});

it('a resend code that asks for what no bundle has is refused, whatever numbers are in it', async () => {
  const carry = parseCarry(await readFile(join(set, 'noise-1.0.tar.carry.json')));
  if (typeof carry === 'string') throw new Error(carry);
  for (const runs of [
    [{ first: 12, count: 1 }],
    [{ first: 0, count: 1e6 }],
    [{ first: 2 ** 40, count: 1 }],
    [{ first: 0, count: Number.MAX_SAFE_INTEGER }],
    [{ first: Number.MAX_SAFE_INTEGER, count: 1 }],
    [
      { first: 0, count: 1 },
      { first: 2 ** 50, count: 2 ** 50 },
    ],
  ])
    await expect(run(resendFlow({ path: bundle.path, code: resendCode(carry, runs), carryFolder: set }))).rejects.toThrowWithCode(
      'E_RESEND_CODE',
    );
  expect((await readdir(bundle.folder)).filter((name) => name.endsWith('.dp') || name.endsWith('.part'))).toEqual([]);
});
