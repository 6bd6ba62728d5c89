/** Bytes of a tar block: headers are one block, content is padded to whole blocks (POSIX.1-2017 pax, “ustar Interchange Format”). */
export const TAR_BLOCK = 512;

/** The biggest size that eleven octal digits can say; above it the size is base-256, as GNU tar writes it. */
const MAX_OCTAL_SIZE = 0o77777777777;
const CHECKSUM_AT = 148;
const MAGIC_AT = 257;

/** What a header says about its member. `type` is the type flag: `0` for a regular file. */
export interface TarHeader {
  readonly name: string;
  /** Bytes of content, padding not counted. */
  readonly size: number;
  readonly type: string;
}

/** A block that is no header that deliver accepts, and why. */
export interface BadTarHeader {
  readonly problem: string;
}

/**
 * The header block of a regular file: mode 0644, owner 0, time 0, no names, so the same member is always the same bytes.
 * @param size bytes, up to Number.MAX_SAFE_INTEGER
 * @throws RangeError when the name is no ASCII text of 1 to 100 characters or the size is no safe integer
 */
export function encodeTarHeader(name: string, size: number): Uint8Array {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new RangeError(`“${name}” does not fit the name field of a tar header`);
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${String(size)} is not a size`);
  const block = Buffer.alloc(TAR_BLOCK);
  block.write(name, 0, 'latin1');
  block.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1');
  if (size > MAX_OCTAL_SIZE) {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  } else {
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  }
  block.write('00000000000\0', 136, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\0' + '00', MAGIC_AT, 'latin1');
  block.write('0000000\0' + '0000000\0', 329, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
  return block;
}

/** Reads any ustar or GNU header; the caller decides which names and types it accepts. */
export function decodeTarHeader(block: Uint8Array): TarHeader | BadTarHeader {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.length !== TAR_BLOCK) return { problem: 'it is cut off' };
  if (octal(bytes, CHECKSUM_AT, 8) !== checksum(bytes)) return { problem: 'its checksum is wrong' };
  const magic = bytes.toString('latin1', MAGIC_AT, MAGIC_AT + 6);
  if (magic !== 'ustar\0' && magic !== 'ustar ') return { problem: 'it is not a ustar header' };
  const size = sizeOf(bytes);
  if (size === undefined) return { problem: 'its size is not a number that can be' };
  const prefix = magic === 'ustar\0' ? text(bytes, 345, 155) : '';
  const name = text(bytes, 0, 100);
  if (name === '') return { problem: 'it has no name' };
  const flag = bytes.toString('latin1', 156, 157);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type: flag === '\0' ? '0' : flag };
}

/** Content size rounded up to whole blocks. */
export function paddedSize(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

function sizeOf(bytes: Buffer): number | undefined {
  const first = bytes.readUInt8(124);
  if (first < 0x80) return octal(bytes, 124, 12);
  if (first !== 0x80 || bytes.readUIntBE(125, 3) !== 0) return undefined;
  const size = bytes.readBigUInt64BE(128);
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(size);
}

function octal(bytes: Buffer, at: number, length: number): number | undefined {
  const digits = /^ *([0-7]+)[\0 ]*$/.exec(bytes.toString('latin1', at, at + length))?.[1];
  return digits === undefined ? undefined : parseInt(digits, 8);
}

function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [at, byte] of block.entries()) if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += byte;
  return sum;
}
