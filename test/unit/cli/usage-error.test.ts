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

it('says which commands there are, and that one has to come first', () => {
  expect(() => {
    checkCommand(['init'], COMMANDS);
  }).toThrowWithCode('E_USAGE', 'The commands are keygen, import kubekey, resolve, pack,');
  expect(() => {
    checkCommand(['--json', 'install'], COMMANDS);
  }).toThrowWithCode('E_USAGE', 'A command has to come before --json');
});

it('says what is missing without the parser’s own heading and notes', () => {
  const heading = 'The following error occurred:\n  Missing required flag site\nSee more help with --help';
  expect(usageError(new Errors.CLIError(heading), ['plan'], COMMANDS).facts.what).toBe('Missing required flag site.');
  const note = 'Missing 1 required arg:\nbundle  a file\nNote: --trust allows multiple values. Because of this …';
  expect(usageError(new Errors.CLIError(note), ['push'], COMMANDS).facts.details).toEqual(['bundle  a file']);
});

it('knows commands of two words', () => {
  checkCommand(['import', 'kubekey', 'x.yaml'], COMMANDS);
  for (const argv of [['import'], ['import', 'kubekye'], ['import', '--help']])
    expect(() => {
      checkCommand(argv, COMMANDS);
    }).toThrowWithCode('E_USAGE', 'deliver import kubekey --help');
});
