import { expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { DeliverError, excerpt, messageOf } from '../../../src/core/errors.ts';

it('keeps where it came from when more is said about it', () => {
  const error = new DeliverError('E_HOST', { what: 'disk full' });
  const more = error.with({ state: 'Nothing was changed.' });
  expect([more.stack, more.facts]).toEqual([error.stack, { what: 'disk full', state: 'Nothing was changed.' }]);
});

it('quotes of what others say no more than a beginning', () => {
  expect(messageOf(new Error('refused'))).toBe('refused');
  const long = messageOf(new Error(`unexpected ${'🍊'.repeat(1_000_000)}`));
  expect(long).toMatch(/^unexpected 🍊+.?…$/u);
  expect(long.length).toBe(2000);
});

it('never cuts a letter in two, nor says that it cut what was only redacted', () => {
  for (const before of [0, 1]) expect(excerpt(`${'x'.repeat(before)}${'🍊'.repeat(50)}`, 10)).toMatch(/^x?(?:🍊)+…$/u);
  const secret = new Secret('a-very-long-secret');
  expect(excerpt(`no ${secret.reveal()}`, 10)).toBe('no ***');
});

it('never cuts a secret in two, which nobody would know for one then', () => {
  const secret = new Secret('correct-horse-battery');
  for (let before = 1970; before < 2010; before++)
    expect(messageOf(new Error(`${'x'.repeat(before)}${secret.reveal()}${'x'.repeat(500)}`))).not.toContain('correct');
});
