import { expect, it } from 'vitest';
import { bytesOfText, bytesText, countText, durationText } from '../../../src/core/amounts.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1400, '1.4 KB'],
  [3_000_000_000, '3 GB'],
  [4_420_000_000, '4.4 GB'],
  [96_100_000, '96 MB'],
  [999_600, '1 MB'],
  [9_960_000, '10 MB'],
  [2.5e18, '2500 PB'],
])('says %d bytes as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

it.each([
  [3_100_000_000, 4_400_000_000, '3.1 of 4.4 GB'],
  [31_000_000, 96_000_000, '31 of 96 MB'],
  [3_100_000_000, 12_000_000_000, '3.1 of 12 GB'],
  [10, 400, '10 of 400 B'],
])('says %d of %d bytes in the unit of the total', (done, total, text) => {
  expect(bytesOfText(done, total)).toBe(text);
});

it.each([
  [400, '0.4 s'],
  [9_960, '10 s'],
  [59_700, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [7_200_000, '2 h'],
])('says %d ms as %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});

it('counts in plain English', () => {
  expect([countText(0, 'image'), countText(1, 'image'), countText(3, 'registry'), countText(2, 'key')]).toEqual([
    '0 images',
    '1 image',
    '3 registries',
    '2 keys',
  ]);
});
