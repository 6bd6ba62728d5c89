import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTrustedKeys } from '../../../src/bundle/signature/trusted-keys.ts';
import { baseOfLock } from '../../../src/bundle/base-of-lock.ts';
import { planBundle } from '../../../src/bundle/plan.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { loadBase } from '../../../src/flows/load-base.ts';
import { verifyReceipts } from '../../../src/flows/verify-receipts.ts';
import { lockText } from '../../../src/lock/lock-file.ts';
import { checkChain } from '../../../src/receipt/chain.ts';
import { receiptFrom } from '../../../src/receipt/read-receipt.ts';
import { armorReceipt, dearmorReceipt } from '../../../src/receipt/receipt-text.ts';
import { receiptText, shortForm } from '../../../src/receipt/receipt.ts';
import { judgeReceipt, signReceipt } from '../../../src/receipt/sign-receipt.ts';
import { bundleBytes, smallRelease } from '../../support/bundles.ts';
import { folderWith } from '../../support/files.ts';
import { aBody, fullReceipt, receiptChain, SITE_KEY } from '../../support/receipts.ts';
import { testKey } from '../../support/signed-bundle.ts';

const SEED = 20261122;
const [first, second, third] = await receiptChain(3);
if (first === undefined || second === undefined || third === undefined) throw new Error('three receipts were asked for');
const chain = await receiptChain(8);
const trusted = parseTrustedKeys(SITE_KEY.line, 'site key');

describe('a receipt', () => {
  it('is signed by the site and by nobody else', async () => {
    expect(judgeReceipt(first.receipt, trusted, 'r').name).toBe('plant-7');
    const other = await signReceipt(aBody(1), testKey('somebody else').key);
    expect(() => judgeReceipt(other, trusted, 'r')).toThrowWithCode('E_UNTRUSTED');
  });

  it('says the same in its short and its full form, which have one id', async () => {
    const digests = ['a', 'b', 'c'].map((text) => digestOf(text));
    const full = await fullReceipt(first.receipt.release, digests);
    expect(receiptFrom(receiptText(full), 'full').id).toBe(receiptFrom(receiptText(shortForm(full)), 'short').id);
    const forged = { ...full, digests: [...digests, digestOf('d')].sort() };
    expect(() => receiptFrom(receiptText(forged), 'r')).toThrowWithCode('E_RECEIPT', 'not those that were signed');
  });

  it('is refused whatever single byte of it is changed', () => {
    const text = receiptText(second.receipt);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        fc.pre(changed !== text);
        expect(() => receiptFrom(changed, 'r')).toThrowWithCode('E_RECEIPT');
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });
});

describe('the text of a receipt', () => {
  it('comes back as it was, typed in lower case with dashes and O for 0', () => {
    const text = armorReceipt(first.receipt);
    expect(text.length).toBeLessThan(2500);
    const typed = text.replace(
      /^(\d\d) {2}(.*)$/gm,
      (_, number: string, rest: string) => `${number}. ${rest.toLowerCase().replaceAll(' ', '-').replaceAll('0', 'o')}`,
    );
    expect(receiptFrom(typed, 'typed').receipt).toEqual(first.receipt);
  });

  it('names the line with the slip, whichever letter it is', () => {
    const lines = armorReceipt(first.receipt).split('\n');
    const groups = lines.slice(1, -2);
    fc.assert(
      fc.property(
        fc.nat(groups.length - 1),
        fc.nat(30),
        fc.constantFrom('A', 'B', 'H', 'K', 'Z', '2', '7', '9'),
        (line, at, letter) => {
          const before = groups[line] ?? '';
          const place = 4 + Math.min(at, before.length - 5);
          fc.pre(before[place] !== ' ' && before[place] !== letter);
          const changed = before.slice(0, place) + letter + before.slice(place + 1);
          const text = ['-----BEGIN DELIVER RECEIPT-----', ...groups.with(line, changed)].join('\n');
          expect(() => dearmorReceipt(text)).toThrowWithCode('E_RECEIPT', `line ${String(line + 1)}`);
        },
      ),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('is refused with a line missing, or cut off', () => {
    const lines = armorReceipt(first.receipt).split('\n');
    expect(() => dearmorReceipt(lines.toSpliced(4, 1).join('\n'))).toThrowWithCode('E_RECEIPT', 'Line 4 is missing');
    expect(() => receiptFrom(lines.slice(0, -4).join('\n'), 'r')).toThrowWithCode('E_RECEIPT');
  });
});

describe('a chain of receipts', () => {
  it('is accepted whole, and from any receipt on', () => {
    for (let from = 0; from < chain.length; from++)
      expect(() => {
        checkChain(chain.slice(from));
      }).not.toThrow();
  });

  it('is refused in any other order, with one left out, or with one twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(chain.length - 1), { minLength: 2, maxLength: 10 }), (picked) => {
        const isRun = picked.every((number, at) => at === 0 || number === (picked[at - 1] ?? -9) + 1);
        const given = picked.flatMap((number) => chain[number] ?? []);
        if (isRun) checkChain(given);
        else
          expect(() => {
            checkChain(given);
          }).toThrowWithCode('E_RECEIPT');
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('says the right order where there is one', () => {
    expect(() => {
      checkChain([second, first, third]);
    }).toThrowWithCode('E_RECEIPT', 'plant-7-1.receipt.json plant-7-2.receipt.json plant-7-3');
  });

  it('is refused with one that the site signed beside it: a fork', async () => {
    const { id } = first;
    const fork = receiptFrom(
      receiptText(await signReceipt(aBody(2, { previous: id, time: '2026-11-04T00:00:00.000Z' }), SITE_KEY.key)),
      'fork',
    );
    expect(() => {
      checkChain([first, fork, third]);
    }).toThrowWithCode('E_RECEIPT', 'which is not');
    expect(() => {
      checkChain([first, second, fork]);
    }).toThrowWithCode('E_RECEIPT', 'forks');
    const foreign = receiptFrom(
      receiptText(await signReceipt(aBody(2, { previous: id, site: 'plant-8' }), SITE_KEY.key)),
      'other',
    );
    expect(() => {
      checkChain([first, foreign]);
    }).toThrowWithCode('E_RECEIPT', 'plant-8');
  });

  it('is verified from files, typed text among them', async () => {
    const folder = await folderWith({
      'a.json': receiptText(first.receipt),
      'b.txt': armorReceipt(second.receipt),
      'key.pub': SITE_KEY.line,
    });
    const [a, b, key] = ['a.json', 'b.txt', 'key.pub'].map((name) => join(folder, name));
    const result = await verifyReceipts([a ?? '', b ?? ''], [key ?? '']);
    expect(result).toMatchObject({
      site: 'plant-7',
      receipts: [{ number: 1 }, { number: 2 }],
      installed: [{ version: '3.6.2' }],
    });
    expect(result.before).toBeUndefined();
    await expect(verifyReceipts([a ?? ''], [testKey('no').line])).rejects.toThrowWithCode('E_UNTRUSTED');
  });
});

const { lock, content } = smallRelease();
const base = baseOfLock(lock);
const { name, version, root } = base;
const release = { name, version, root };
const short = receiptText(
  await signReceipt(aBody(1, { release, installed: [{ ...release, installedAt: '', verifiedBy: [] }] }), SITE_KEY.key),
);

describe('a receipt as the base of a delta', () => {
  it('is the lock or the bundle with its root, wherever the packager keeps them', async () => {
    const folder = await folderWith({
      'receipts/r.json': short,
      'locks/old.lock.yaml': lockText(lock),
      'bundles/suite-3.6.2.tar': bundleBytes(planBundle(lock, []), content),
      'bundles/broken.tar': 'nonsense',
    });
    const path = join(folder, 'receipts/r.json');
    for (const place of ['locks', 'bundles']) {
      const found = await loadBase(path, [join(folder, place)]);
      expect(found.base).toEqual(base);
      expect(found.said).toContain('receipt 1 of plant-7');
    }
  });

  it('is its own list of digests in the full form', async () => {
    const folder = await folderWith({ 'r.json': receiptText(await fullReceipt(release, [...base.digests])) });
    expect((await loadBase(join(folder, 'r.json'), [])).base).toEqual({ ...release, digests: base.digests });
  });

  it('is refused when neither is here, with what to do', async () => {
    const folder = await folderWith({ 'r.json': short });
    await expect(loadBase(join(folder, 'r.json'), [])).rejects.toThrowWithCode('E_LOCK_MISSING', '--full');
  });
});
