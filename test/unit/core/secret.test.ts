import { expect, it } from 'vitest';
import { redact, Secret } from '../../../src/core/secret.ts';

it('hides a secret that begins with another one, to its end', () => {
  new Secret('harbor');
  new Secret('harbor-12345');
  expect(redact('tried harbor-12345, then harbor')).toBe('tried ***, then ***');
});

it('hides a secret in the form in which Kubernetes stores it', () => {
  new Secret('hunter22');
  expect(redact(`data.password: ${Buffer.from('hunter22').toString('base64')}`)).toBe('data.password: ***');
});
