/** x^8 + x^4 + x^3 + x^2 + 1; 2 generates every element but 0. */
const POLYNOMIAL = 0x11d;
/** Data and parity volumes together: as many as GF(2^8) has elements. */
export const MOST_VOLUMES = 256;

const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  EXP[power] = EXP[power + 255] = value;
  LOG[value] = power;
  value = value << 1 > 255 ? (value << 1) ^ POLYNOMIAL : value << 1;
}

/** Rows of coefficients. */
export type Matrix = readonly Uint8Array[];

/** Product in GF(2^8). */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : at(EXP, at(LOG, a) + at(LOG, b));
}

/** @param value not 0 */
export function inverse(value: number): number {
  return at(EXP, 255 - at(LOG, value));
}

/**
 * What makes parity volume k out of data volume i: 1 / ((255 − k) + i), a Cauchy matrix. Every square part of it can be
 * inverted, so any K losses can be mended by any K parity volumes (Blömer et al., 1995).
 */
export function cauchy(parity: number, data: number): Matrix {
  return Array.from({ length: parity }, (_, k) => Uint8Array.from({ length: data }, (__, i) => inverse((255 - k) ^ i)));
}

/** The inverse of a square matrix, by Gauss and Jordan. @throws RangeError when there is none */
export function inverted(matrix: Matrix): Matrix {
  const size = matrix.length;
  const work = matrix.map((row, at_) => Uint8Array.from([...row, ...unit(size, at_)]));
  for (let column = 0; column < size; column++) {
    const pivot = work.findIndex((row, index) => index >= column && row[column] !== 0);
    const row = work[pivot];
    const other = work[column];
    if (row === undefined || other === undefined) throw new RangeError('the matrix has no inverse');
    work[pivot] = other;
    work[column] = row;
    scale(row, inverse(at(row, column)));
    for (const target of work) if (target !== row) addScaled(target, row, at(target, column));
  }
  return work.map((row) => row.slice(size));
}

/** A matrix times another. */
export function product(left: Matrix, right: Matrix): Matrix {
  const width = right[0]?.length ?? 0;
  return left.map((row) => {
    const sum = new Uint8Array(width);
    for (const [index, factor] of row.entries()) addScaled(sum, right[index] ?? new Uint8Array(width), factor);
    return sum;
  });
}

/** `target` += `factor` × `row`. */
export function addScaled(target: Uint8Array, row: Uint8Array, factor: number): void {
  if (factor === 0) return;
  for (const [index, value] of row.entries()) target[index] = at(target, index) ^ multiply(factor, value);
}

function scale(row: Uint8Array, factor: number): void {
  for (const [index, value] of row.entries()) row[index] = multiply(factor, value);
}

function unit(size: number, one: number): Uint8Array {
  const row = new Uint8Array(size);
  row[one] = 1;
  return row;
}

function at(values: Uint8Array, index: number): number {
  return values[index] ?? 0;
}
