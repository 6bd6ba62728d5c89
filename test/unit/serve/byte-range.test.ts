import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRange } from '../../../src/serve/byte-range.ts';

it.each([
  ['bytes=0-0', { start: 0, length: 1 }],
  ['bytes=2-4', { start: 2, length: 3 }],
  ['bytes=7-', { start: 7, length: 3 }],
  ['bytes=0-', { start: 0, length: 10 }],
  ['bytes=8-99', { start: 8, length: 2 }],
  ['bytes=-4', { start: 6, length: 4 }],
  ['bytes=-400', { start: 0, length: 10 }],
  ['BYTES=1-2', { start: 1, length: 2 }],
  [`bytes=3-${'9'.repeat(400)}`, { start: 3, length: 7 }],
  ['bytes=10-', 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', 'unsatisfiable'],
])('reads %s of ten bytes', (header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected);
});

it.each([undefined, '', 'bytes=', 'bytes=-', 'bytes=a-b', 'items=0-1', 'bytes=0-1,3-4', 'bytes=0x1-2', 'bytes=1.5-2'])(
  'ignores %s, as RFC 9110 allows for what is no range',
  (header) => {
    expect(parseRange(header, 10)).toBe('whole');
  },
);

it('gives nothing of nothing', () => {
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
  expect(parseRange('bytes=-5', 0)).toBe('whole');
});

it('gives the bytes that a slice gives, and never any outside', () => {
  const bytes = (size: number): number[] => Array.from({ length: size }, (_, at) => at);
  const bound = fc.option(fc.nat(300), { nil: undefined });
  fc.assert(
    fc.property(bound, bound, fc.nat(200), (first, last, size) => {
      const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
      if (typeof range === 'string') return;
      const expected = first === undefined ? bytes(size).slice(-(last ?? 0)) : bytes(size).slice(first, (last ?? size) + 1);
      expect(bytes(size).slice(range.start, range.start + range.length)).toEqual(expected);
      expect(range.length).toBe(expected.length);
      expect(range.length).toBeGreaterThan(0);
    }),
    { seed: 4 },
  );
});

it('never throws on noise', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (header, size) => {
      expect(parseRange(header, size)).toBeDefined();
      expect(parseRange(`bytes=${header}`, size)).toBeDefined();
    }),
    { seed: 4 },
  );
});
