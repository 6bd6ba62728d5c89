import { expect, it } from 'vitest';
import { imagesSent, imagesStep } from '../../../../src/cli/views/plan-images.ts';
import type { ImagesPlan } from '../../../../src/flows/plan/types.ts';

const node = (name: string, pull: readonly string[], bytes = 0): ImagesPlan['nodes'][number] => ({
  node: name,
  pull,
  bytes,
  keep: [],
  letGo: [],
});
const alike = ['docker.io/library/busybox:1.36', 'registry.k8s.io/pause:3.10.1'];

it('says in every plan of a site without a registry what that means, and counts nodes that pull the same once', () => {
  const plan = { nodes: [node('cp1', alike, 5e6), node('w1', alike, 5e6), node('w2', [])], changes: 4 };
  const step = imagesStep(plan, 60);
  expect(step.lines).toEqual([
    'cp1, w1: pull 2 images, 5 MB',
    'no registry: each node keeps what it pulls through this',
    expect.stringContaining('machine, and can start nothing else once this ends'),
  ]);
  expect(step).toMatchObject({ title: 'Images', open: true });
  expect(step.details).toContain('cp1, w1: registry.k8s.io/pause:3.10.1');
  expect(imagesSent(plan)).toBe('10 MB of images to 2 nodes');
});

it('has nothing to do when the nodes hold everything', () => {
  const plan = { nodes: [node('cp1', [])], changes: 0 };
  expect(imagesStep(plan, 60)).toMatchObject({ open: false, details: [] });
  expect(imagesStep(plan, 60).lines[0]).toBe('no change');
  expect(imagesSent(plan)).toBeUndefined();
});
