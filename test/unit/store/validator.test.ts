import { expect, it } from 'vitest';
import { validatorOf } from '../../../src/store/validator.ts';

const date = 'Mon, 02 Nov 2026 10:01:00 GMT';

it.each<[Readonly<Record<string, string>>, string | undefined]>([
  [{ etag: '"a"', 'last-modified': date }, '"a"'],
  [{ etag: '""' }, '""'],
  [{ etag: 'W/"a"' }, undefined],
  [{ etag: 'a' }, undefined],
  [{ etag: 'W/"a"', 'last-modified': 'Mon, 02 Nov 2026 10:00:00 GMT', date }, 'Mon, 02 Nov 2026 10:00:00 GMT'],
  [{ 'last-modified': 'Mon, 02 Nov 2026 10:00:01 GMT', date }, undefined],
  [{ 'last-modified': 'Mon, 02 Nov 2026 10:00:00 GMT' }, undefined],
  [{ 'last-modified': 'yesterday', date }, undefined],
  [{}, undefined],
])('of %j it is %s that tells whether a file is still the same', (headers, text) => {
  expect(validatorOf({ header: (name) => headers[name] })?.text).toBe(text);
});
