import fc from 'fast-check';
import { expect, it } from 'vitest';
import { partsAtOnce, partsOf, partSizeOf } from '../../../src/bucket/part-size.ts';

const MIB = 1024 * 1024;

it('cuts every size into parts that S3 takes: at most 10 000, none too small but the last, without gap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 * 1024 * MIB }), (total) => {
      const parts = partsOf(total);
      expect(parts.length).toBeLessThanOrEqual(10_000);
      let at = 0;
      for (const [index, { number, offset, size }] of parts.entries()) {
        if (number !== index + 1 || offset !== at || (index < parts.length - 1 && size < 5 * MIB)) throw new Error('bad part');
        at += size;
      }
      expect(at).toBe(total);
    }),
    { seed: 4, numRuns: 60 },
  );
});

it('holds at most 32 MiB of parts at once while a part is smaller than that', () => {
  expect(partSizeOf(1)).toBe(5 * MIB);
  for (const total of [1, 80e9, 200e9, 300e9]) {
    expect(partsAtOnce(total, 6) * partSizeOf(total)).toBeLessThanOrEqual(32 * MIB);
  }
  expect(partsAtOnce(5e12, 6)).toBe(1);
});
