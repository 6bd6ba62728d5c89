import { Errors } from '@oclif/core';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/command-table.ts';
import { checkCommand, usageError } from '../../../src/cli/usage-error.ts';

it('guesses the command that was meant', () => {
  expect(() => {
    checkCommand(['instal', 'x.tar'], COMMANDS);
  }).toThrowWithCode('E_USAGE', 'Did you mean deliver install x.tar?');
});

it('points to the help when nothing is near', () => {
  expect(() => {
    checkCommand(['frobnicate'], COMMANDS);
  }).toThrowWithCode('E_USAGE', 'deliver --help');
});

it('lets commands, flags and nothing at all pass', () => {
  for (const argv of [['pack'], ['--help'], []]) checkCommand(argv, COMMANDS);
});

it('guesses the flag that was meant', () => {
  const error = usageError(new Errors.CLIError('Nonexistent flag: --signkey\nSee more help with --help'), ['pack'], COMMANDS);
  expect(error.facts).toMatchObject({ what: 'Unknown flag: --signkey.', fix: 'Did you mean “--sign-key”? deliver pack --help' });
});

it('keeps what the parser listed', () => {
  const error = usageError(
    new Errors.CLIError('Missing 1 required arg:\nbundle  a file\nSee more help with --help'),
    ['verify'],
    COMMANDS,
  );
  expect(error.facts).toMatchObject({ what: 'Missing 1 required argument:', details: ['bundle  a file'] });
});
