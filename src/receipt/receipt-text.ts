import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { decodeBase32, encodeBase32 } from '../carry/base32.ts';
import { DeliverError } from '../core/errors.ts';
import { MOST_RECEIPT, receiptText, shortForm, type Receipt } from './receipt.ts';

const BEGIN = '-----BEGIN DELIVER RECEIPT-----';
const END = '-----END DELIVER RECEIPT-----';
/** Bytes on a line: eight groups of four letters. */
const LINE = 20;
/** Letters of a line's checksum. */
const CHECK = 4;

/**
 * The short form of a receipt to read aloud or to type: deflated, base32 in groups of four, every line with its number and
 * a checksum of its own, so that a slip is found in the line where it is.
 */
export function armorReceipt(receipt: Receipt): string {
  const bytes = deflateRawSync(Buffer.from(receiptText(shortForm(receipt))), { level: 9 });
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE) {
    const part = bytes.subarray(at, at + LINE);
    const number = lines.length + 1;
    const groups = encodeBase32(part).match(/.{1,4}/g) ?? [];
    lines.push(`${String(number).padStart(2, '0')}  ${groups.join(' ')}  ${checksum(number, part)}`);
  }
  return [BEGIN, ...lines, END, ''].join('\n');
}

/** True for a text that was typed or pasted rather than a file of JSON. */
export function looksArmored(text: string): boolean {
  return /^\s*-*\s*BEGIN DELIVER RECEIPT/i.test(text);
}

/**
 * The JSON of a receipt as a person typed it: any case, dashes or spaces anywhere, O for 0, I and L for 1.
 * @throws DeliverError E_RECEIPT naming the line that is wrong
 */
export function dearmorReceipt(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !/DELIVER RECEIPT/i.test(line));
  const parts = lines.map((line, at) => {
    const [, number, letters = ''] = /^\s*(\d+)[\s.:-]+(.*)$/.exec(line) ?? [];
    if (Number(number) !== at + 1) throw mistyped(`Line ${String(at + 1)} is missing, or has another number.`);
    const plain = letters.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
    const part = decodeBase32(plain.slice(0, -CHECK));
    if (part === undefined || part.length === 0 || checksum(at + 1, part) !== plain.slice(-CHECK))
      throw mistyped(`The checksum of line ${String(at + 1)} does not fit: a letter is wrong, missing or too many.`);
    return part;
  });
  return inflateReceipt(Buffer.concat(parts));
}

/** What was deflated, whoever brought it. @throws DeliverError E_RECEIPT */
export function inflateReceipt(bytes: Uint8Array): string {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MOST_RECEIPT }).toString('utf8');
  } catch (error) {
    throw mistyped('It ends too early.', error);
  }
}

/** 20 bits of CRC-32 over the line's number and its bytes. */
function checksum(number: number, bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.from([number % 256, ...bytes])));
  return encodeBase32(sum).slice(0, CHECK);
}

function mistyped(why: string, cause?: unknown): DeliverError {
  return new DeliverError('E_RECEIPT', {
    what: 'This is not a whole receipt.',
    why,
    fix: 'Have it read to you again, as deliver receipt --text shows it.',
    ...(cause === undefined ? {} : { cause }),
  });
}
