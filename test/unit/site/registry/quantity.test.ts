import { expect, it } from 'vitest';
import { bytesOfQuantity } from '../../../../src/site/registry/quantity.ts';

it('reads quantities as Kubernetes does', () => {
  expect(['5', '1500m', '10k', '2Ki', '1.5Gi', '3T'].map(bytesOfQuantity)).toEqual([5, 1, 10_000, 2048, 1_610_612_736, 3e12]);
});
