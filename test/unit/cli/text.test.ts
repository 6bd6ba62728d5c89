import { describe, expect, it } from 'vitest';
import { spread, truncate, wrap } from '../../../src/cli/text.ts';
import { table } from '../../../src/cli/table.ts';

describe('wrap', () => {
  it('breaks at spaces and keeps line breaks', () => {
    expect(wrap('one two three\nfour', 8)).toEqual(['one two', 'three', 'four']);
  });

  it('keeps the indentation of a line that it breaks', () => {
    expect(wrap('  one two', 6)).toEqual(['  one', '  two']);
  });

  it('leaves a word whole that is too long', () => {
    expect(wrap('a verylongword b', 5)).toEqual(['a', 'verylongword', 'b']);
  });

  it('keeps an empty line', () => {
    expect(wrap('', 5)).toEqual(['']);
  });
});

it('spreads two texts over a line, or says that they do not fit', () => {
  expect(spread('left', 'right', 12)).toBe('left   right');
  expect(spread('left', 'right', 10)).toBeUndefined();
});

it('cuts by characters, not by code units', () => {
  expect(truncate('🚢🚢🚢🚢', 3)).toBe('🚢🚢…');
  expect(truncate('abc', 3)).toBe('abc');
});

it('aligns columns, amounts to the right, without trailing spaces', () => {
  expect(
    table(
      [
        ['busybox', '2.2 MB', ''],
        ['a', '310 KB', 'shared'],
      ],
      { right: [1], indent: 2 },
    ),
  ).toEqual(['  busybox  2.2 MB', '  a        310 KB  shared']);
  expect(table([])).toEqual([]);
});
