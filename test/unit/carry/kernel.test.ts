import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addScaled, cauchy, inverse, inverted, multiply, product } from '../../../src/carry/galois.ts';
import { MatrixKernel } from '../../../src/carry/kernel.ts';
import { seeded } from '../../e2e/support/random.ts';

const byte = fc.integer({ min: 0, max: 255 });

it('multiplies in a field: associative, distributive, with inverses', () => {
  fc.assert(
    fc.property(byte, byte, byte, (a, b, c) => {
      expect(multiply(a, multiply(b, c))).toBe(multiply(multiply(a, b), c));
      expect(multiply(a, b ^ c)).toBe(multiply(a, b) ^ multiply(a, c));
      if (a !== 0) expect(multiply(a, inverse(a))).toBe(1);
    }),
    { seed: 1 },
  );
});

it('inverts any square part of a Cauchy matrix', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 100 }), fc.integer(), (k, n, seed) => {
      const random = seeded(seed);
      const size = 1 + Math.floor(random() * Math.min(k, n));
      const matrix = cauchy(k, n);
      const pick = (count: number): number[] =>
        Array.from({ length: count }, (_, index) => index)
          .sort(() => random() - 0.5)
          .slice(0, size);
      const rows = pick(k);
      const columns = pick(n);
      const part = rows.map((row) => Uint8Array.from(columns, (column) => matrix[row]?.[column] ?? 0));
      const identity = product(inverted(part), part).map((row) => [...row]);
      expect(identity).toEqual(rows.map((_, at) => columns.map((__, column) => (at === column ? 1 : 0))));
    }),
    { seed: 2, numRuns: 60 },
  );
});

it('makes the same bytes as a plain table implementation, for any matrix and length', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 24 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 500 }),
      fc.integer(),
      (inputs, outputs, length, seed) => {
        const random = seeded(seed);
        const noise = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
        const matrix = Array.from({ length: outputs }, () => noise(inputs));
        const kernel = new MatrixKernel(inputs, outputs, 512, 2);
        const rows = Array.from({ length: inputs }, () => noise(length));
        kernel.use(matrix);
        for (const [at, row] of rows.entries()) kernel.input(1, at).set(row);
        kernel.run(1, length);
        for (const [at, factors] of matrix.entries()) {
          const expected = new Uint8Array(length);
          for (const [input, row] of rows.entries()) addScaled(expected, row, factors[input] ?? 0);
          expect(Buffer.from(kernel.output(1, at).subarray(0, length)).equals(expected)).toBe(true);
        }
      },
    ),
    { seed: 3, numRuns: 60 },
  );
});
