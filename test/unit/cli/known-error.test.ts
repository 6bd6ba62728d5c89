import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import { COMMANDS } from '../../../src/cli/command-table.ts';
import { typed } from '../../../src/cli/help-text.ts';
import { asToldBy, interruption, knownError } from '../../../src/cli/known-error.ts';
import { READS_ONLY } from '../../../src/cli/words.ts';
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

describe('the state after a bad file', () => {
  const error = new DeliverError('E_SCHEMA', { what: 'x has a problem.', fix: 'y', state: 'Nothing was written.' });
  const stateOf = (line: string): string | undefined => asToldBy(error, line.split(' ')).facts.state;

  it.each(['plan b.tar --site s.yaml', 'status --site s.yaml', 'receipt verify r.json', 'inspect b.tar --since l.yaml'])(
    'is not told by %s, which never writes',
    (line) => {
      expect(stateOf(line)).toBeUndefined();
      expect(asToldBy(error, line.split(' '))).toMatchObject({ code: 'E_SCHEMA', facts: { what: 'x has a problem.', fix: 'y' } });
    },
  );

  it.each([
    'resolve r.yaml',
    'pack r.yaml',
    'install b.tar --site s.yaml',
    'receipt --site s.yaml',
    'inspect b.tar --html=p.html',
  ])('is told by %s', (line) => {
    expect(stateOf(line)).toBe('Nothing was written.');
  });

  it('is left as it is where it says something else', () => {
    const other = new DeliverError('E_SSH', { what: 'x', state: 'Nothing was changed.' });
    expect(asToldBy(other, ['plan'])).toBe(other);
  });

  it('names verbs that there are', () => {
    const verbs = Object.keys(COMMANDS).map(typed);
    expect([...READS_ONLY].filter((verb) => !verbs.includes(verb))).toEqual([]);
  });
});
