import { describe, expect, it } from 'vitest';
import { holderOf, type Budget, type NodePod } from '../../../../src/site/kubeadm/held.ts';

const POD: NodePod = { name: 'shop/web-0', namespace: 'shop', node: 'w1', labels: { app: 'web' }, lone: false, ending: false };
const budget = (more: Partial<Budget> = {}): Budget => ({
  name: 'shop/web',
  namespace: 'shop',
  allowed: 0,
  healthy: 1,
  wanted: 2,
  matches: ({ app }) => app === 'web',
  ...more,
});

describe('what keeps a pod on a node that is drained', () => {
  it('is the budget of its namespace that allows no disruption, with its numbers', () => {
    expect(holderOf(POD, [budget()])).toBe('PodDisruptionBudget shop/web holds shop/web-0: it wants 2 healthy, and 1 is.');
  });
  it('is no budget of another namespace, of other pods, or one that allows it', () => {
    const others = [budget({ namespace: 'other' }), budget({ matches: () => false })];
    expect(holderOf(POD, others)).toBe('shop/web-0 is still there.');
    expect(holderOf(POD, [budget({ allowed: 1 })])).toBe('shop/web-0 is still there.');
  });
  it('is the pod itself, when it was told to end already', () => {
    expect(holderOf({ ...POD, ending: true }, [budget()])).toBe('shop/web-0 was told to end, and has not yet.');
  });
});
