import { expect, it } from 'vitest';
import { planPush } from '../../../src/registry/push-plan.ts';
import { buildImage, buildIndex } from '../../support/images.ts';
import { memoryBundle } from '../../support/memory-bundle.ts';

const SITE = { registryHost: 'harbor.plant7' };
const one = buildImage({ seed: 'one' });
const two = buildImage({ seed: 'two' });

it('sends children before their index, and names every project once', () => {
  const index = buildIndex([one, two]);
  const chart = buildImage({ seed: 'chart' });
  const plan = planPush(memoryBundle({ 'quay.io/a/b:1': index, 'quay.io/c:2': one }, { charts: { web: chart } }).lock, SITE);
  expect(plan.projects).toEqual(['quay.io', 'charts']);
  expect(plan.items.map(({ repository, tag, kind }) => [repository, tag, kind])).toEqual([
    ['quay.io/a/b', '1', 'image'],
    ['quay.io/c', '2', 'image'],
    ['charts/web', '1.0.0_2', 'chart'],
  ]);
  expect(plan.items[0]?.children.map(({ digest }) => digest)).toEqual([one.descriptor.digest, two.descriptor.digest]);
  expect(plan.items[0]?.root.digest).toBe(index.descriptor.digest);
});

it('keeps what is only referred to by digest alive with a tag of its own', () => {
  const digest = one.descriptor.digest;
  const plan = planPush(memoryBundle({ [`quay.io/a/b@${digest}`]: one }).lock, SITE);
  expect(plan.items.map(({ tag }) => tag)).toEqual([digest.replace(':', '.')]);
});

it('leaves a tag to the reference that has nothing else', () => {
  const pinned = `quay.io/a/b:1@${one.descriptor.digest}`;
  const plan = planPush(memoryBundle({ [pinned]: one, 'quay.io/a/b:1': two }).lock, SITE);
  expect(plan.items.map(({ tag, root }) => [tag, root.digest])).toEqual([
    ['1', two.descriptor.digest],
    [one.descriptor.digest.replace(':', '.'), one.descriptor.digest],
  ]);
  const alone = planPush(memoryBundle({ [pinned]: one }).lock, SITE);
  expect(alone.items.map(({ tag }) => tag)).toEqual(['1']);
});

it('refuses two different things for one place', () => {
  const lock = memoryBundle({ 'quay.io/a/b:1': one, 'harbor.plant7/quay.io/a/b:1': two }).lock;
  expect(() => planPush(lock, SITE)).toThrowWithCode('E_REFERENCE', 'harbor.plant7/quay.io/a/b:1');
});
