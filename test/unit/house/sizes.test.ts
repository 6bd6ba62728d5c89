import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SRC = new URL('../../../src', import.meta.url).pathname;

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, lines: readFileSync(join(SRC, path), 'utf8').split('\n').slice(0, -1) }));

/** Lines of the method body of `run()`, braces not counted. */
function runLength(lines: readonly string[]): number {
  const start = lines.findIndex((line) => /^ {2}(?:override )?async run\(/.test(line));
  if (start < 0) return 0;
  const end = lines.findIndex((line, index) => index > start && line === '  }');
  return end - start - 1;
}

it('has no source file past 300 lines', () => {
  expect(sources.filter(({ lines }) => lines.length > 300).map(({ path, lines }) => `${path}: ${lines.length}`)).toEqual([]);
});

it('has a median source file of at most 100 lines', () => {
  const sorted = sources.map(({ lines }) => lines.length).sort((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(100);
});

it('has commands whose run() fits in 25 lines', () => {
  const commands = sources.filter(({ path }) => path.startsWith('commands/'));
  expect(commands.map(({ path, lines }) => ({ path, run: runLength(lines) })).filter(({ run }) => run === 0 || run > 25)).toEqual(
    [],
  );
});
