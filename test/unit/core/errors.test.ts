import { expect, it } from 'vitest';
import { DeliverError } from '../../../src/core/errors.ts';

it('keeps where it came from when more is said about it', () => {
  const error = new DeliverError('E_HOST', { what: 'disk full' });
  const more = error.with({ state: 'Nothing was changed.' });
  expect([more.stack, more.facts]).toEqual([error.stack, { what: 'disk full', state: 'Nothing was changed.' }]);
});
