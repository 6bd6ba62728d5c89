import { crc32, deflateRawSync } from 'node:zlib';
import { decodeBase32, encodeBase32 } from '../carry/base32.ts';
import { DeliverError } from '../core/errors.ts';
import { inflateReceipt } from './receipt-text.ts';
import { receiptText, shortForm, type Receipt } from './receipt.ts';

const BEGIN = 'DELIVER-RECEIPT';
/** Letters of a checksum: 20 bits of CRC-32. */
const CHECK = 4;

/** Characters in one code on a terminal: version 13 is 69 modules wide, with its quiet zone 77 columns. */
export const TERMINAL_LEVEL = 'L';
export const MOST_ON_TERMINAL = 619;
/** In a printed one: version 25 is 117 modules wide, half a millimetre each when the code is 6 cm wide. */
export const PRINTED_LEVEL = 'M';
export const MOST_PRINTED = 1451;

/**
 * The short form of a receipt as texts for QR codes, each with its number, a mark of the whole and a checksum of its own:
 * `DELIVER-RECEIPT 1/2 MARK LETTERS CHECK`. Only what the alphanumeric mode of QR codes holds (ISO/IEC 18004).
 * @param most characters in one text
 */
export function receiptCodes(receipt: Receipt, most: number): readonly string[] {
  const bytes = deflateRawSync(Buffer.from(receiptText(shortForm(receipt))), { level: 9 });
  const mark = checksum(0, bytes);
  const room = most - `${BEGIN} 99/99 ${mark}  `.length - CHECK;
  // Eight letters are five bytes.
  const count = Math.ceil(bytes.length / (Math.floor(room / 8) * 5));
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, at) => {
    const part = bytes.subarray(at * size, (at + 1) * size);
    return `${BEGIN} ${String(at + 1)}/${String(count)} ${mark} ${encodeBase32(part)} ${checksum(at + 1, part)}`;
  });
}

/** True for a text that begins with what was scanned from a code. */
export function looksScanned(text: string): boolean {
  return /^\s*DELIVER-RECEIPT\b/i.test(text);
}

/**
 * The JSON of a receipt whose codes were scanned: in any order, also the same one twice.
 * @throws DeliverError E_RECEIPT naming the code that is missing or was read wrong
 */
export function joinCodes(text: string): string {
  const found = text.split(/(?=DELIVER-RECEIPT\b)/i).flatMap((piece) => (piece.trim() === '' ? [] : [partOf(piece)]));
  const [first] = found;
  if (first === undefined || found.some(({ mark, of }) => mark !== first.mark || of !== first.of))
    throw unread('The codes are of different receipts.');
  const parts = new Map(found.map(({ number, bytes }) => [number, bytes]));
  const all = Array.from({ length: first.of }, (_, at) => {
    const bytes = parts.get(at + 1);
    if (bytes === undefined) throw unread(`Code ${String(at + 1)} of ${String(first.of)} is missing.`);
    return bytes;
  });
  const bytes = Buffer.concat(all);
  if (checksum(0, bytes) !== first.mark) throw unread('The codes do not fit together.');
  return inflateReceipt(bytes);
}

interface Part {
  readonly number: number;
  readonly of: number;
  readonly mark: string;
  readonly bytes: Uint8Array;
}

function partOf(piece: string): Part {
  const fields = /^DELIVER-RECEIPT\s+(\d{1,2})\/(\d{1,2})\s+(\w{4})\s+([\w\s]+?)\s+(\w{4})\s*$/i.exec(piece.trim());
  const [, number = '', of = '', mark = '', letters = '', check = ''] = fields ?? [];
  const bytes = decodeBase32(letters.replace(/\s/g, '').toUpperCase());
  if (bytes === undefined || checksum(Number(number), bytes) !== check.toUpperCase())
    throw unread(`The checksum of code ${number === '' ? 'one of them' : number} does not fit.`);
  return { number: Number(number), of: Number(of), mark: mark.toUpperCase(), bytes };
}

function checksum(number: number, bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.from([number, ...bytes])));
  return encodeBase32(sum).slice(0, CHECK);
}

function unread(why: string): DeliverError {
  return new DeliverError('E_RECEIPT', {
    what: 'This is not a whole receipt.',
    why,
    fix: 'Scan all codes again, as deliver receipt --qr shows them, into one text file, one after the other.',
  });
}
