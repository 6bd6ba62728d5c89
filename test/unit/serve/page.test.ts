import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lexical, pageOf } from '../../../src/serve/page.ts';

const TAGS = ['1', '1.36', 'Alpha', 'V2', 'beta', 'v1'];
const page = (query: string): ReturnType<typeof pageOf> => pageOf(TAGS, new URLSearchParams(query));

it('gives all without a count', () => {
  expect(page('')).toEqual({ items: TAGS });
});

it('gives so many, and where the next page begins', () => {
  const first = page('n=2&ns=docker.io');
  expect(first?.items).toEqual(['1', '1.36']);
  expect(first?.next?.toString()).toBe('n=2&ns=docker.io&last=1.36');
});

it('has no next page after the last', () => {
  expect(page('n=2&last=V2')).toEqual({ items: ['beta', 'v1'] });
  expect(page('n=6')).toEqual({ items: TAGS });
});

it('gives an empty page without a next one for n=0', () => {
  expect(page('n=0')).toEqual({ items: [] });
});

it('goes on after a tag that is not there', () => {
  expect(page('last=Alphabet')?.items).toEqual(['V2', 'beta', 'v1']);
});

it.each(['n=-1', 'n=x', 'n=1e3', `n=${'9'.repeat(30)}`, 'n='])('refuses %s', (query) => {
  expect(page(query)).toBeUndefined();
});

it('meets every tag once on the way through its pages', () => {
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/);
  fc.assert(
    fc.property(fc.uniqueArray(tag, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (tags, n) => {
      const sorted = tags.sort(lexical);
      const seen: string[] = [];
      for (let query = new URLSearchParams(`n=${n}`); ;) {
        const { items = [], next } = pageOf(sorted, query) ?? {};
        seen.push(...items);
        if (next === undefined) break;
        query = next;
      }
      expect(seen).toEqual(sorted);
    }),
    { seed: 4 },
  );
});
