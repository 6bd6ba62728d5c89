import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeTarHeader, encodeTarHeader, isZeroBlock, paddedSize, TAR_BLOCK } from '../../../src/core/tar-header.ts';
import { withChecksum } from '../../support/tar-builder.ts';

const name = fc.stringMatching(/^[\x21-\x7e]{1,100}$/);
const size = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 8 ** 11 - 1, 8 ** 11, 9 * 1024 ** 3));

it('reads back every name and size that it writes', () => {
  fc.assert(
    fc.property(name, size, (memberName, bytes) => {
      const block = encodeTarHeader(memberName, bytes);
      expect(block).toHaveLength(TAR_BLOCK);
      expect(decodeTarHeader(block)).toEqual({ name: memberName, size: bytes, type: '0' });
    }),
  );
});

it('refuses a block with any one bit flipped', () => {
  const block = encodeTarHeader('blobs/sha256/abc', 1234);
  // The checksum itself may be padded with zeros or spaces.
  const position = fc.nat(TAR_BLOCK - 1).filter((at) => at < 148 || at > 155);
  fc.assert(
    fc.property(position, fc.nat(7), (at, bit) => {
      const flipped = Uint8Array.from(block);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      expect(decodeTarHeader(flipped)).not.toEqual(decodeTarHeader(block));
    }),
  );
});

it('never throws on noise', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 600 }), (noise) => {
      expect('problem' in decodeTarHeader(noise)).toBe(true);
    }),
  );
});

it('writes a size above 8 GiB as base-256, below as octal', () => {
  expect(Buffer.from(encodeTarHeader('a', 8 ** 11 - 1)).toString('latin1', 124, 136)).toBe('77777777777\0');
  expect(Buffer.from(encodeTarHeader('a', 8 ** 11)).toString('hex', 124, 136)).toBe('800000000000000200000000');
});

it('refuses a base-256 size beyond what a number can hold', () => {
  const block = Buffer.from(encodeTarHeader('a', 8 ** 11));
  block.fill(0xff, 124, 136);
  expect(decodeTarHeader(withChecksum(block))).toEqual({ problem: 'its size is not a number that can be' });
});

it.each(['', 'a'.repeat(101), 'ä', 'a b', 'a\0'])('refuses to write the name %j', (bad) => {
  expect(() => encodeTarHeader(bad, 0)).toThrow(RangeError);
});

it.each([-1, 1.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN])('refuses to write the size %d', (bad) => {
  expect(() => encodeTarHeader('a', bad)).toThrow(RangeError);
});

it('pads to whole blocks', () => {
  expect([0, 1, 512, 513].map(paddedSize)).toEqual([0, 512, 512, 1024]);
  expect(isZeroBlock(new Uint8Array(TAR_BLOCK))).toBe(true);
});
