import { expect, it } from 'vitest';
import { contentRange, unsatisfiedTotal } from '../../../src/core/content-range.ts';
import { isPassingAnswer, isPassingBreak, retryAfterMs } from '../../../src/core/passing.ts';

it.each([
  [429, undefined, true],
  [500, undefined, true],
  [503, 60_000, true],
  [503, 60_001, false],
  [501, undefined, false],
  [404, undefined, false],
  [408, undefined, false],
])('an answer of %i that asks to wait %s ms may pass: %s', (status, retryAfter, passes) => {
  expect(isPassingAnswer(status, retryAfter)).toBe(passes);
});

it('a wait is asked for in seconds or by a date', () => {
  expect(retryAfterMs('7')).toBe(7000);
  expect(retryAfterMs('Mon, 02 Nov 2020 10:00:00 GMT')).toBe(0);
  expect(retryAfterMs('soon')).toBeUndefined();
  expect(retryAfterMs(undefined)).toBeUndefined();
});

it('a connection that broke may pass, a name that is unknown or a certificate does not', () => {
  expect(isPassingBreak(new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNRESET' }) }))).toBe(true);
  expect(isPassingBreak(Object.assign(new Error(), { code: 'ENOTFOUND' }))).toBe(false);
  expect(isPassingBreak(Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }))).toBe(false);
});

it('a range is read only as HTTP writes it', () => {
  expect(contentRange('bytes 5-9/20')).toEqual({ start: 5, end: 10, total: 20 });
  expect(contentRange('bytes 5-9/*')).toEqual({ start: 5, end: 10, total: undefined });
  for (const wrong of ['bytes 9-5/20', 'bytes */20', 'bytes=5-9/20', 'items 5-9/20', undefined]) {
    expect(contentRange(wrong)).toBeUndefined();
  }
  expect(unsatisfiedTotal('bytes */20')).toBe(20);
  expect(unsatisfiedTotal('bytes 5-9/20')).toBeUndefined();
});
