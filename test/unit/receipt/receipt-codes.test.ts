import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planBundle } from '../../../src/bundle/plan.ts';
import { loadBase } from '../../../src/flows/load-base.ts';
import { diffReleases } from '../../../src/flows/diff.ts';
import { writeCodes } from '../../../src/flows/receipt-code-files.ts';
import { verifyReceipts } from '../../../src/flows/verify-receipts.ts';
import { lockText } from '../../../src/lock/lock-file.ts';
import { qrLines } from '../../../src/receipt/qr-image.ts';
import { receiptFrom } from '../../../src/receipt/read-receipt.ts';
import { joinCodes, MOST_ON_TERMINAL, receiptCodes } from '../../../src/receipt/receipt-codes.ts';
import { receiptId, receiptText, shortForm } from '../../../src/receipt/receipt.ts';
import { buildRelease, smallRelease } from '../../support/bundles.ts';
import { folderWith } from '../../support/files.ts';
import { pictureOfLines, pictureOfPng, pictureOfSvg, scan } from '../../support/qr.ts';
import { fullReceipt, receiptChain, SITE_KEY } from '../../support/receipts.ts';

const [first, second] = await receiptChain(2);
if (first === undefined || second === undefined) throw new Error('two receipts were asked for');
const codes = receiptCodes(second.receipt, MOST_ON_TERMINAL);

describe('the codes of a receipt', () => {
  it('fit a terminal of 80 columns, and another’s decoder reads the receipt off it, in either theme', () => {
    expect(codes).toHaveLength(2);
    for (const [inverted, ink] of [
      [true, 255],
      [false, 0],
    ] as const) {
      const scanned = codes.map((code) => {
        const lines = qrLines(code, inverted);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
        return scan(pictureOfLines(lines, ink)) ?? 'nothing';
      });
      expect(receiptFrom(scanned.join('\n'), 'scanned').id).toBe(second.id);
    }
  });

  it('are one code when printed: the SVG and the PNG carry the receipt', async () => {
    const folder = await folderWith({});
    const [svg, png] = [join(folder, 'r.svg'), join(folder, 'r.png')];
    expect(await writeCodes(second.receipt, svg)).toEqual([svg]);
    expect(await writeCodes(second.receipt, png)).toEqual([png]);
    const fromSvg = scan(pictureOfSvg(await readFile(svg, 'utf8'))) ?? '';
    const fromPng = scan(pictureOfPng(await readFile(png))) ?? '';
    expect(receiptFrom(fromSvg, 'svg').id).toBe(second.id);
    expect(fromPng).toBe(fromSvg);
  });

  it('are taken in any order, twice, in any case and with any white space between them', () => {
    const [one = '', two = ''] = codes;
    for (const text of [`${two}\r\n${one}`, `${one}\n${two}\n${one}\n`, `\n  ${one.toLowerCase()}   ${two.toLowerCase()}`])
      expect(receiptFrom(text, 'scanned').id).toBe(second.id);
  });

  it('say which one is missing, was read wrong, or is of another receipt', () => {
    const [one = '', two = ''] = codes;
    const [other = ''] = receiptCodes(first.receipt, MOST_ON_TERMINAL);
    expect(() => joinCodes(one)).toThrowWithCode('E_RECEIPT', 'Code 2 of 2 is missing');
    expect(() => joinCodes(`${other}\n${two}`)).toThrowWithCode('E_RECEIPT', 'different receipts');
    const letter = one.charAt(60) === 'A' ? 'B' : 'A';
    expect(() => joinCodes(`${one.slice(0, 60)}${letter}${one.slice(61)}\n${two}`)).toThrowWithCode('E_RECEIPT', 'code 1');
  });

  it('are taken by receipt verify, by pack --since and by diff', async () => {
    const { lock } = smallRelease();
    const next = buildRelease({
      version: '3.6.3',
      images: [{ reference: 'docker.io/library/new:1', layers: [Buffer.from('new')] }],
    });
    const { name, version } = lock.metadata;
    const root = planBundle(lock, []).root.digest;
    const receipt = shortForm(
      await fullReceipt(
        { name, version, root },
        lock.images.map(({ digest }) => digest),
      ),
    );
    const folder = await folderWith({
      'scanned.txt': receiptCodes(receipt, MOST_ON_TERMINAL).join('\n'),
      'as-file.json': receiptText(receipt),
      'old.lock.yaml': lockText(lock),
      'new.lock.yaml': lockText(next.lock),
    });
    const scanned = join(folder, 'scanned.txt');
    expect((await verifyReceipts([scanned], [SITE_KEY.line])).receipts[0]?.id).toBe(receiptId(receipt));
    expect((await loadBase(scanned, [])).base.root).toBe(root);
    const sides = await diffReleases(scanned, join(folder, 'new.lock.yaml'));
    const plain = await diffReleases(join(folder, 'old.lock.yaml'), join(folder, 'new.lock.yaml'));
    expect(sides.from.said).toContain('receipt 1 of plant-7, signed by SHA256:');
    expect({ ...sides, from: 0 }).toEqual({ ...plain, from: 0 });
    const backwards = await diffReleases(join(folder, 'new.lock.yaml'), join(folder, 'as-file.json'));
    expect(backwards.to).toMatchObject({ version: '3.6.2', said: expect.stringContaining('receipt 1') as string });
  });

  it('of a receipt whose lock is nowhere are refused by diff, with what to do', async () => {
    const { lock } = smallRelease();
    const release = { ...lock.metadata, root: planBundle(lock, []).root.digest };
    const folder = await folderWith({
      'full.json': receiptText(await fullReceipt(release, [release.root])),
      'l.lock.yaml': lockText(buildRelease({ version: '1' }).lock),
    });
    const compared = diffReleases(join(folder, 'full.json'), join(folder, 'l.lock.yaml'));
    await expect(compared).rejects.toThrowWithCode('E_LOCK_MISSING', 'not what they are');
  });
});
