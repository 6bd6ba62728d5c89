import { Errors, run, settings } from '@oclif/core';
import { wantsJson } from './base-command.ts';
import { clean } from './clean.ts';
import { COMMANDS } from './command-table.ts';
import { exitCodeOf } from './exit-codes.ts';
import { JsonObserver } from './json-observer.ts';
import { asToldBy, knownError } from './known-error.ts';
import { loadOptions } from './load-options.ts';
import { outputTo } from './output.ts';
import { renderError } from './render-error.ts';
import { checkCommand, usageError } from './usage-error.ts';

/** Runs one command line and gives the exit code; everything that a person sees of a failure is written here. */
export async function main(argv: readonly string[]): Promise<number> {
  settings.enableAutoTranspile = false;
  if (argv.includes('--no-color')) process.env.NO_COLOR = '1';
  const words = helpAsFlag(argv);
  const broken = (error: unknown): void => {
    process.exit(tell(error, words));
  };
  process.on('uncaughtException', broken);
  process.on('unhandledRejection', broken);
  try {
    checkCommand(words, COMMANDS);
    await run([...words], loadOptions());
    return 0;
  } catch (error) {
    return tell(error, words);
  }
}

/** `deliver help pack` is `deliver pack --help`, `deliver help import kubekey` `deliver import kubekey --help`. */
function helpAsFlag(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help'
    ? [...argv.slice(1, Object.hasOwn(COMMANDS, `${argv[1] ?? ''}:${argv[2] ?? ''}`) ? 3 : 2), '--help']
    : argv;
}

function tell(thrown: unknown, argv: readonly string[]): number {
  if (thrown instanceof Errors.ExitError) return thrown.oclif.exit ?? 0;
  const error = thrown instanceof Errors.CLIError ? usageError(thrown, argv, COMMANDS) : asToldBy(knownError(thrown), argv);
  if (wantsJson(argv)) {
    new JsonObserver((line) => {
      process.stdout.write(`${line}\n`);
    }).error(error);
  } else {
    const output = outputTo(process.stderr);
    if (output.isTerminal) output.line('');
    for (const line of renderError(error, output.style, Math.min(80, output.width))) output.line(line);
  }
  if (wantsStack()) process.stderr.write(`\n${clean(stackOf(error))}\n`);
  return exitCodeOf(error.code);
}

function wantsStack(): boolean {
  return (process.env.DEBUG ?? '').split(',').some((name) => name === 'deliver' || name === '*');
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return (error.stack ?? error.message) + cause;
}
