import { expect, it } from 'vitest';
import { DeliverError } from '../../../src/core/errors.ts';

const failing = (): never => {
  throw new DeliverError('E_SIZE', { what: 'Too small.', why: 'expected 5, got 4' });
};

it('recognises a thrown error by its code', () => {
  expect(failing).toThrowWithCode('E_SIZE');
  expect(failing).toThrowWithCode('E_SIZE', 'got 4');
  expect(failing).not.toThrowWithCode('E_DIGEST');
  expect(failing).not.toThrowWithCode('E_SIZE', /got 5/);
});

it('recognises a rejected promise by its code', async () => {
  await expect(Promise.resolve().then(failing)).rejects.toThrowWithCode('E_SIZE', /got 4/);
});

it('fails for an error that is not ours', () => {
  expect(() => {
    expect(() => {
      throw new TypeError('x');
    }).toThrowWithCode('E_SIZE');
  }).toThrow(/expected a DeliverError E_SIZE/);
});
