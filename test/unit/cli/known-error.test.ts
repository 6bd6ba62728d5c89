import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import { interruption, knownError } from '../../../src/cli/known-error.ts';
import { DeliverError } from '../../../src/core/errors.ts';

it('gives every class the exit code of the design', () => {
  const codes = ['E_USAGE', 'E_SCHEMA', 'E_DIGEST', 'E_SSH', 'E_PREFLIGHT', 'E_BUG', 'E_INTERRUPTED'] as const;
  expect(codes.map((code) => exitCodeOf(code))).toEqual([2, 3, 4, 5, 6, 70, 130]);
});

describe('what was thrown', () => {
  it('stays what it is when it is ours', () => {
    const error = new DeliverError('E_SSH', { what: 'x' });
    expect(knownError(error)).toBe(error);
  });

  it.each([
    ['ENOSPC', 'E_DISK_FULL'],
    ['ENOENT', 'E_FILE_NOT_FOUND'],
    ['EACCES', 'E_FILE_UNREADABLE'],
  ])('is told as a person would say it when the system said %s', (code, expected) => {
    expect(knownError(Object.assign(new Error('write failed'), { code }))).toMatchObject({ code: expected });
  });

  it('is a bug when nobody expected it', () => {
    expect(knownError(new TypeError('x is not a function'))).toMatchObject({
      code: 'E_BUG',
      facts: { why: 'x is not a function' },
    });
    expect(knownError('a string')).toMatchObject({ code: 'E_BUG', facts: { why: 'a string' } });
  });
});

it('keeps the state that a step knew when the person interrupted it', () => {
  const error = interruption(new DeliverError('E_SOURCE', { what: 'aborted', state: 'The partial file stays.' }));
  expect(error).toMatchObject({ code: 'E_INTERRUPTED', facts: { state: 'The partial file stays.' } });
  expect(error.facts.fix).toContain('it goes on');
});
