import { loadTrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { checkChain } from '../receipt/chain.ts';
import { readReceipt } from '../receipt/read-receipt.ts';
import type { ReceiptBody } from '../receipt/receipt.ts';
import { judgeReceipt } from '../receipt/sign-receipt.ts';

export interface VerifiedReceipt {
  readonly path: string;
  readonly id: string;
  readonly number: number;
  readonly time: string;
  readonly release: ReceiptBody['release'];
  readonly signer: Signer;
}

export interface VerifyReceiptsResult {
  readonly site: string;
  readonly receipts: readonly VerifiedReceipt[];
  /** What the last one says. */
  readonly installed: ReceiptBody['installed'];
  /** Id of the receipt before the first of these; absent when the chain is here from its beginning. */
  readonly before?: string;
}

/**
 * Every signature by a trusted key, and one chain in the order given.
 * @throws DeliverError E_RECEIPT, E_UNTRUSTED, E_EXPIRED, E_FILE_NOT_FOUND, E_SCHEMA
 */
export async function verifyReceipts(paths: readonly string[], trust: readonly string[]): Promise<VerifyReceiptsResult> {
  const { keys } = await loadTrustPolicy(trust);
  const chain = await Promise.all(paths.map(readReceipt));
  const receipts = chain.map(({ path, id, receipt }) => {
    const { number, time, release } = receipt;
    return { path, id, number, time, release, signer: judgeReceipt(receipt, keys, path) };
  });
  checkChain(chain);
  const first = chain.at(0)?.receipt.previous;
  const { site = '', installed = [] } = chain.at(-1)?.receipt ?? {};
  return { site, receipts, installed, ...(first === undefined ? {} : { before: first }) };
}
