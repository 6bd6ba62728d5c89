import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { readText } from '../manifest/read-text.ts';
import { joinCodes, looksScanned } from './receipt-codes.ts';
import { dearmorReceipt, looksArmored } from './receipt-text.ts';
import { MOST_RECEIPT, parseReceipt, receiptId, type Receipt } from './receipt.ts';
import { signingKeyOf } from './sign-receipt.ts';

/** A receipt whose signature is good; whether its key is trusted was not asked. */
export interface ReadReceipt {
  readonly path: string;
  readonly receipt: Receipt;
  readonly id: Digest;
}

/**
 * Reads a receipt from its file, from its text as it was typed, or from what was scanned from its codes.
 * @throws DeliverError E_RECEIPT, E_FILE_NOT_FOUND, E_FILE_UNREADABLE
 */
export async function readReceipt(path: string): Promise<ReadReceipt> {
  return receiptFrom(await readText(path, 'The receipt'), path);
}

/** @throws DeliverError E_RECEIPT */
export function receiptFrom(text: string, path: string): ReadReceipt {
  const receipt = text.length > MOST_RECEIPT ? 'it is too large' : parseReceipt(jsonIn(text));
  if (typeof receipt === 'string') {
    throw new DeliverError('E_RECEIPT', {
      what: `${path} is no receipt.`,
      why: `${receipt}.`,
      fix: 'Ask the site for it again: deliver receipt --site SITE --key KEY',
    });
  }
  signingKeyOf(receipt, path);
  return { path, receipt, id: receiptId(receipt) };
}

function jsonIn(text: string): string {
  if (looksArmored(text)) return dearmorReceipt(text);
  return looksScanned(text) ? joinCodes(text) : text;
}

/** Whether the first bytes of a file may be those of a receipt, in any of its forms. */
export function mayBeReceipt(head: string): boolean {
  return /^\s*(?:\{|-*\s*BEGIN DELIV|DELIVER-RECE)/i.test(head);
}
