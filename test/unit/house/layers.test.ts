import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { expect, it } from 'vitest';
import config from '../../../layers.config.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;

async function violations(baseDir: string): Promise<readonly string[]> {
  const { options, ...ruleSet } = config;
  const { output } = await cruise(['src'], { ...options, baseDir, ruleSet, validate: true });
  if (typeof output === 'string') throw new Error(output);
  const result: ICruiseResult = output;
  return result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

it('finds every kind of arrow that points the wrong way', async () => {
  const found = await violations(`${ROOT}test/fixtures/layers-violation`);
  const broken = new Set(found.map((line) => line.split(':')[0]));
  expect([...broken].sort()).toEqual(config.forbidden.map((rule) => rule.name).sort());
});

it('lets compose name an adapter', async () => {
  const found = await violations(`${ROOT}test/fixtures/layers-violation`);
  expect(found.filter((line) => line.includes('compose.ts'))).toEqual([]);
});

it('finds none in our own sources', async () => {
  expect(await violations(ROOT)).toEqual([]);
});
