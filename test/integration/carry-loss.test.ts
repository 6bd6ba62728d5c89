import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { parseResendCode } from '../../src/carry/resend-code.ts';
import { isDeliverError } from '../../src/core/errors.ts';
import { repairFlow } from '../../src/flows/repair.ts';
import { resendFlow } from '../../src/flows/resend.ts';
import { bundleBytes, noisyRelease } from '../support/bundles.ts';
import { MIB, run, splitBundle } from '../support/carry.ts';
import { Dice } from '../support/corpus.ts';
import { bySize } from '../support/size.ts';

/** 245 patterns at full size. */
const SHARE = bySize(0.03, 1);

/** What a pattern takes away: whole volumes, and single MiBs of others. */
interface Losses {
  readonly volumes: readonly string[];
  readonly leaves: readonly { readonly name: string; readonly row: number }[];
}

describe.each([
  {
    title: '5 volumes and 2 for parity',
    layers: 5,
    layer: 2_800_000,
    rows: 3,
    data: 5,
    parity: 2,
    patterns: Math.ceil(130 * SHARE),
    more: Math.ceil(30 * SHARE),
  },
  {
    title: '20 volumes and 4 for parity',
    layers: 20,
    layer: 2_030_000,
    rows: 2,
    data: 20,
    parity: 4,
    patterns: Math.ceil(70 * SHARE),
    more: Math.ceil(15 * SHARE),
  },
])('$title', ({ layers, layer, rows, data, parity, patterns, more }) => {
  let folder: string;
  let set: string;
  let bundle: string;
  /** The files as they were cut. */
  let whole: ReadonlyMap<string, Buffer>;
  let names: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deliver-carry-loss-'));
    bundle = join(folder, 'noise-1.0.tar');
    const { lock, content } = noisyRelease(layer, layers);
    await writeFile(bundle, bundleBytes(planBundle(lock, []), content));
    set = await splitBundle(bundle, { volumeSize: rows * MIB, parity });
    const files = await readdir(set);
    whole = new Map(await Promise.all(files.map(async (name) => [name, await readFile(join(set, name))] as const)));
    names = files.filter((name) => /\.[vp]\d+$/.test(name)).sort();
    expect(names).toHaveLength(data + parity);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const rowsOf = (name: string): number => Math.ceil((whole.get(name)?.length ?? 0) / MIB);

  /** At most `most` losses in every row; in `full` exactly one more, of which one at least is data. */
  function losses(dice: Dice, most: number, full?: number): Losses {
    const volumes = chosen(dice, names, dice.roll(most + 1));
    const leaves = Array.from({ length: rows }, (_, row) => {
      const left = names.filter((name) => !volumes.includes(name) && rowsOf(name) > row);
      const gone = volumes.filter((name) => rowsOf(name) > row).length;
      const count = row === full ? most + 1 - gone : dice.roll(most + 1 - gone);
      return chosen(dice, left, count).map((name) => ({ name, row }));
    });
    return { volumes, leaves: leaves.flat() };
  }

  async function lose({ volumes, leaves }: Losses, dice: Dice): Promise<void> {
    for (const name of volumes) await rm(join(set, name));
    for (const { name, row } of leaves) {
      const handle = await open(join(set, name), 'r+');
      const at = row * MIB + dice.roll(Math.min(MIB, (whole.get(name)?.length ?? 0) - row * MIB));
      await handle.write(Buffer.from([(whole.get(name)?.readUInt8(at) ?? 0) ^ (1 + dice.roll(255))]), 0, 1, at);
      await handle.close();
    }
  }

  async function expectWhole(seed: string): Promise<void> {
    const files = (await readdir(set)).filter((name) => !name.endsWith('.dp'));
    expect(files.sort(), seed).toEqual([...whole.keys()].sort());
    for (const [name, bytes] of whole) expect((await readFile(join(set, name))).equals(bytes), `${seed}: ${name}`).toBe(true);
  }

  it(
    `mends ${String(patterns)} random patterns of at most ${String(parity)} losses in a row, byte for byte`,
    { timeout: 600_000 },
    async () => {
      for (let number = 0; number < patterns; number++) {
        const dice = new Dice(1000 * parity + number);
        await lose(losses(dice, parity), dice);
        await run(repairFlow({ folder: set }));
        await expectWhole(`pattern ${String(number)}`);
      }
    },
  );

  it(
    `refuses ${String(more)} patterns of one loss more, and is whole after what its code asks for`,
    { timeout: 600_000 },
    async () => {
      for (let number = 0; number < more; number++) {
        const seed = `pattern ${String(number)}`;
        const dice = new Dice(2000 * parity + number);
        const full = dice.roll(rows);
        await lose(losses(dice, parity, full), dice);
        const before = await Promise.all((await readdir(set)).map((name) => readFile(join(set, name))));
        const error: unknown = await run(repairFlow({ folder: set })).catch((thrown: unknown) => thrown);
        if (!isDeliverError(error, 'E_CARRY_DAMAGED')) throw new Error(`${seed}: ${String(error)}`, { cause: error });
        const after = await Promise.all((await readdir(set)).map((name) => readFile(join(set, name))));
        expect(
          after.every((bytes, at) => bytes.equals(before[at] ?? Buffer.alloc(0))),
          seed,
        ).toBe(true);
        expect(error.facts.what, seed).toContain('1 MiB of the bundle has to come again');
        const code = /deliver resend \S+ (\S+)/.exec(error.facts.fix ?? '')?.[1] ?? '';
        // One row has one loss too many, so one MiB of that row is what is needed.
        expect(parseResendCode(code).runs, seed).toEqual([{ first: expect.any(Number) as number, count: 1 }]);
        expect((parseResendCode(code).runs[0]?.first ?? 0) % rows, seed).toBe(full);
        const patch = await run(resendFlow({ path: bundle, code, outputFolder: set }));
        expect(patch.leaves, seed).toBe(1);
        await run(repairFlow({ folder: set }));
        await expectWhole(seed);
        await rm(patch.path, { force: true });
      }
    },
  );
});

function chosen(dice: Dice, from: readonly string[], count: number): readonly string[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(dice.roll(left.length), 1)).flat();
}
