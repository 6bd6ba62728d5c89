import { expect, it } from 'vitest';
import { clean, cleaned, cleanJson } from '../../../src/cli/clean.ts';
import { Secret } from '../../../src/core/secret.ts';

it('lets nothing through that moves the cursor, colours, or rings', () => {
  expect(clean('a\u001B[31mb\u001B]0;title\u0007c\rd\u0085e\tf\ng')).toBe('abc�d�e\tf\ng');
});

it('cleans every string of a result, keys included', () => {
  expect(cleaned({ 'k\u0007': ['\u001B[2Jx', { deep: 'y\u0000' }], n: 1, none: null })).toEqual({
    'k�': ['x', { deep: 'y�' }],
    n: 1,
    none: null,
  });
});

it('finds a secret in JSON also where JSON has to escape it', () => {
  new Secret('pa"ss\\word');
  expect(cleanJson({ line: 'with pa"ss\\word inside' })).toBe('{"line":"with *** inside"}');
});
