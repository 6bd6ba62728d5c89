import { expect, it } from 'vitest';
import { outputError } from '../../../src/bundle/output-error.ts';
import { DeliverError } from '../../../src/core/errors.ts';

const system = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

it.each([
  ['ENOSPC', 'E_DISK_FULL'],
  ['EDQUOT', 'E_DISK_FULL'],
  ['EACCES', 'E_OUTPUT'],
  ['EFBIG', 'E_OUTPUT'],
  ['E2BIG', 'E_OUTPUT'],
  ['ERR_FS_EISDIR', 'E_OUTPUT'],
])('%s of the operating system is told as %s, also as a cause', (code, told) => {
  expect(outputError('/a/b', system(code)).code).toBe(told);
  expect(outputError('/a/b', new Error('wrapped', { cause: system(code) })).code).toBe(told);
});

it('errors of ours pass', () => {
  const ours = new DeliverError('E_DIGEST', { what: 'other bytes' });
  expect(outputError('/a/b', ours)).toBe(ours);
});

it.each([new TypeError('x is not a function'), system('ERR_INVALID_ARG_TYPE'), 'a text', new DOMException('', 'AbortError')])(
  'what is no word of the operating system stays what it is: a bug (%s)',
  (bug) => {
    let thrown: unknown;
    try {
      outputError('/a/b', bug);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe(bug);
  },
);
