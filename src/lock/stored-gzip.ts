import { crc32 } from 'node:zlib';

/** Bytes of one stored block at most (RFC 1951, 3.2.4). */
const BLOCK = 0xffff;

/**
 * The bytes as gzip without compression. What a compressor makes differs between zlib builds and processors; this is the
 * same everywhere, so a chart that is packed again on another machine keeps its digest. RFC 1951, RFC 1952.
 */
export function storedGzip(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  for (let at = 0; at === 0 || at < bytes.byteLength; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const header = Buffer.alloc(5);
    header.writeUInt8(at + BLOCK >= bytes.byteLength ? 1 : 0, 0);
    header.writeUInt16LE(block.byteLength, 1);
    header.writeUInt16LE(~block.byteLength & 0xffff, 3);
    parts.push(header, block);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.byteLength >>> 0, 4);
  return Buffer.concat([...parts, trailer]);
}
