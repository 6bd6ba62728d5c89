import fc from 'fast-check';
import { expect, it } from 'vitest';
import { squarify, type Rectangle } from '../../../src/inspect/treemap.ts';

const WITHIN = { x: 10, y: 20, width: 800, height: 400 };
const weights = fc
  .array(fc.integer({ min: 1, max: 10 ** 9 }), { minLength: 1, maxLength: 60 })
  .map((list) => list.sort((a, b) => b - a));
const area = ({ width, height }: Rectangle): number => width * height;
const overlap = (a: Rectangle, b: Rectangle): number =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

it('gives every weight its share of the area, within the rectangle, without overlap', () => {
  fc.assert(
    fc.property(weights, (list) => {
      const boxes = squarify(list, WITHIN);
      const total = list.reduce((sum, weight) => sum + weight, 0);
      expect(boxes).toHaveLength(list.length);
      for (const [at, box] of boxes.entries()) {
        expect(area(box) / area(WITHIN)).toBeCloseTo((list[at] ?? 0) / total, 6);
        expect(area(box) - overlap(box, WITHIN)).toBeLessThan(1e-3);
        for (const other of boxes.slice(at + 1)) expect(overlap(box, other)).toBeLessThan(1e-3);
      }
    }),
    { seed: 4, numRuns: 200 },
  );
});

it('makes equal weights nearly square', () => {
  const boxes = squarify(Array<number>(12).fill(5), WITHIN);
  for (const { width, height } of boxes) expect(Math.max(width / height, height / width)).toBeLessThan(2);
});

it('gives nothing no area, and no weights no boxes', () => {
  expect(squarify([], WITHIN)).toEqual([]);
  expect(squarify([5, 0], WITHIN).map(area)).toEqual([area(WITHIN), 0]);
  expect(squarify([0, 0], WITHIN).map(area)).toEqual([0, 0]);
});
