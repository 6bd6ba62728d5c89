import { expect, it } from 'vitest';
import { renderError } from '../../../src/cli/render-error.ts';
import { NO_STYLE } from '../../../src/cli/style.ts';
import { DeliverError, type ErrorFacts } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { ErrorCode } from '../../../src/core/error-codes.ts';

const render = (code: ErrorCode, facts: ErrorFacts): string => renderError(new DeliverError(code, facts), NO_STYLE).join('\n');

it('tells what, why, fix, state and the exit code in 80 columns', () => {
  expect(
    render('E_IMAGE_PULL', {
      what: 'project/gatekeeper: gatekeeper-0 can’t start: its image was refused.',
      why: 'w1 still has the pull account of before 1 Nov; Harbor no longer knows it',
      fix: 'deliver install … --yes',
      state: 'gatekeeper-1 runs v361 and serves; nothing else was changed',
    }),
  ).toMatchInlineSnapshot(`
    "✖ project/gatekeeper: gatekeeper-0 can’t start: its image was refused.
                                                                      [E_IMAGE_PULL]

      why    w1 still has the pull account of before 1 Nov; Harbor no longer knows
             it
      fix    deliver install … --yes
      state  gatekeeper-1 runs v361 and serves; nothing else was changed      exit 5"
  `);
});

it('lists the findings and says how many more there are', () => {
  const details = Array.from({ length: 50 }, (_, index) => `release.yaml:${index}:1 unknown key`);
  const lines = render('E_SCHEMA', { what: 'The release has problems.', details }).split('\n');
  expect(lines.filter((line) => line.startsWith('  release.yaml'))).toHaveLength(40);
  expect(lines).toContain('  … and 10 more; --json lists all');
});

it('gives the general advice of a code where the error brings none', () => {
  expect(render('E_LOCK_MISSING', { what: 'There is no lock.' })).toContain('fix    Run deliver resolve on the release.');
});

it('shows no secret and no control sequence of a remote side', () => {
  new Secret('hunter2-hunter2');
  const text = render('E_REGISTRY', { what: 'Refused.', why: 'password hunter2-hunter2 \u001B[2Jis wrong\u0007' });
  expect(text).toContain('password *** is wrong');
  for (const hidden of ['hunter2', '\u001B', '\u0007']) expect(text).not.toContain(hidden);
});

it('keeps a long word whole, so that it can be copied', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(render('E_DIGEST', { what: 'Wrong.', why: `expected ${digest}` })).toContain(digest);
});

it('shows a beginning of what has no end, and all of what to do', () => {
  const endless = '\u0000'.repeat(5_000_000);
  const code = 'ABCD-'.repeat(1000);
  const text = render('E_CARRY', { what: endless, why: endless, state: endless, details: [endless], fix: code });
  expect(text.length).toBeLessThan(20_000);
  expect(text).toContain(code);
});
