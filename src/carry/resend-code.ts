import { crc32 } from 'node:zlib';
import { hexOf } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { decodeBase32, encodeBase32 } from './base32.ts';
import type { CarryManifest } from './manifest.ts';
import type { Run } from './runs.ts';

/** Bytes of the carry id that a code names; enough to tell the few sets apart that one packager keeps. */
const MARK = 3;
const CHECKSUM = 4;

/** What a code says. */
export interface ResendRequest {
  /** The first bytes of the carry id, as hex. */
  readonly mark: string;
  /** MiBs of the bundle. */
  readonly runs: readonly Run[];
}

/** Three bytes of the carry id, gaps and lengths of the runs as varints, a CRC-32: base32 in groups of four. */
export function resendCode(carry: Pick<CarryManifest, 'id'>, runs: readonly Run[]): string {
  let end = 0;
  const numbers = runs.flatMap(({ first, count }) => {
    const pair = [first - end, count - 1];
    end = first + count;
    return pair;
  });
  const payload = Buffer.from([...Buffer.from(markOf(carry), 'hex'), ...numbers.flatMap(varint)]);
  const sum = Buffer.alloc(CHECKSUM);
  sum.writeUInt32BE(crc32(payload));
  return (encodeBase32(Buffer.concat([payload, sum])).match(/.{1,4}/g) ?? []).join('-');
}

/**
 * Reads a code as a person typed it: any case, spaces or dashes anywhere, O for 0, I and L for 1.
 * @throws DeliverError E_RESEND_CODE when a letter is wrong, missing or too many
 */
export function parseResendCode(text: string): ResendRequest {
  const bytes = decodeBase32(text);
  if (bytes === undefined || bytes.length < MARK + CHECKSUM + 2) throw mistyped();
  const payload = bytes.subarray(0, -CHECKSUM);
  if (crc32(payload) !== bytes.readUInt32BE(payload.length)) throw mistyped();
  const numbers = readVarints(payload.subarray(MARK));
  if (numbers === undefined || numbers.length % 2 !== 0) throw mistyped();
  const runs: Run[] = [];
  for (let at = 0, end = 0; at < numbers.length; at += 2) {
    const first = end + (numbers[at] ?? 0);
    const count = (numbers[at + 1] ?? 0) + 1;
    runs.push({ first, count });
    end = first + count;
  }
  return { mark: payload.toString('hex', 0, MARK), runs };
}

/** What a code calls a carry set. */
export function markOf({ id }: Pick<CarryManifest, 'id'>): string {
  return hexOf(id).slice(0, 2 * MARK);
}

/** LEB128: seven bits at a time, lowest first. */
function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function readVarints(bytes: Uint8Array): readonly number[] | undefined {
  const numbers: number[] = [];
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    if (!Number.isSafeInteger(value)) return undefined;
    factor *= 128;
    if (byte >= 128) continue;
    numbers.push(value);
    value = 0;
    factor = 1;
  }
  return factor === 1 ? numbers : undefined;
}

function mistyped(): DeliverError {
  return new DeliverError('E_RESEND_CODE', {
    what: 'This is not a whole resend code.',
    why: 'Its checksum does not fit: a letter is wrong, missing or too many.',
    fix: 'Have it read to you again, group by group, as deliver verify shows it.',
    state: 'Nothing was written.',
  });
}
