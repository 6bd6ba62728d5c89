import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../../src/ssh/shell-quote.ts';

describe('shellQuote', () => {
  it('brings any text through a real shell as one word, also through a second one', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', ' ', '$', '`', '!', '*', '-', 'é') }),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (words) => {
        fc.pre(!words.some((word) => word.includes('\0')));
        const line = `printf '%s\\0' ${words.map(shellQuote).join(' ')}`;
        for (const command of [line, `exec sh -c ${shellQuote(line)}`]) {
          expect(spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout.split('\0').slice(0, -1)).toEqual(words);
        }
      }),
      { numRuns: 60 },
    );
  });
});
