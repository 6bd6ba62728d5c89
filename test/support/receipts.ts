import { receiptFrom, type ReadReceipt } from '../../src/receipt/read-receipt.ts';
import { arrivedOf, receiptText, type Receipt, type ReceiptBody } from '../../src/receipt/receipt.ts';
import { signReceipt } from '../../src/receipt/sign-receipt.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { testKey, type TestKey } from './signed-bundle.ts';

export const SITE_KEY = testKey('plant-7');

/** What a site says when version after version was installed, the first one first. */
export async function receiptChain(length: number, key: TestKey = SITE_KEY): Promise<readonly ReadReceipt[]> {
  const chain: ReadReceipt[] = [];
  for (let number = 1; number <= length; number++) {
    const before = chain.at(-1);
    const receipt = await signReceipt(aBody(number, before === undefined ? {} : { previous: before.id }), key.key);
    chain.push(receiptFrom(receiptText(receipt), `plant-7-${number}.receipt.json`));
  }
  return chain;
}

export function aBody(number: number, more: Partial<ReceiptBody> = {}): ReceiptBody {
  const release = { name: 'gatekeeper-suite', version: `3.6.${number}`, root: digestOf(`release ${number}`) };
  return {
    apiVersion: 'deliver/v1',
    installed: [
      { ...release, installedAt: '2026-11-03T10:00:00.000Z', verifiedBy: [`release@corp (${SITE_KEY.key.fingerprint})`] },
    ],
    kind: 'Receipt',
    number,
    release,
    site: 'plant-7',
    time: `2026-11-03T10:00:${String(number % 60).padStart(2, '0')}.000Z`,
    ...more,
  };
}

/** The full form. */
export async function fullReceipt(release: ReceiptBody['release'], digests: readonly Digest[]): Promise<Receipt> {
  const sorted = [...digests].sort();
  const installed = [{ ...release, installedAt: '2026-11-03T10:00:00.000Z', verifiedBy: [] }];
  return { ...(await signReceipt(aBody(1, { release, installed, arrived: arrivedOf(sorted) }), SITE_KEY.key)), digests: sorted };
}
