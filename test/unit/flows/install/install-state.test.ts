import { expect, it } from 'vitest';
import { installState } from '../../../../src/flows/install/install-state.ts';

const DONE = ['registry (3 images, 96 MB pushed)'];

it('never says that nothing was changed after a step that changed something', () => {
  expect(installState(DONE, 'Nothing was changed.')).toBe(
    'Done so far: registry (3 images, 96 MB pushed). What this step did until then stays. The same command goes on from here.',
  );
});

it('keeps what the failed work knows of itself, and says once that the command goes on', () => {
  expect(installState(DONE, 'Ready: a; the same command goes on from there.')).toBe(
    'Done so far: registry (3 images, 96 MB pushed). Ready: a; the same command goes on from there.',
  );
  expect(installState([], undefined)).toBe('What this step did until then stays. The same command goes on from here.');
});
