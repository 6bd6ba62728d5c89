import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generatedDocs } from '../../tools/docs/generated.ts';

it.each(generatedDocs())('$path is what the sources say (else: npm run docs)', ({ path, content }) => {
  expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')).toBe(content);
});
