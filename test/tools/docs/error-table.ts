import { ERROR_CLASS, type ErrorClass, type ErrorCode } from '../../../src/core/error-codes.ts';
import { ERROR_TEXT } from '../../../src/cli/error-texts.ts';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';

const TITLE: Readonly<Record<ErrorClass, string>> = {
  usage: 'The command line',
  input: 'Files that were given',
  integrity: 'Integrity and trust',
  remote: 'Hosts, registries, clusters',
  preflight: 'Preflights',
  bug: 'deliver itself',
  interrupted: 'Interruption',
};

/** docs/errors.md, from the codes and their texts. */
export function errorTable(): string {
  const codes = Object.keys(ERROR_TEXT) as ErrorCode[];
  const classes = Object.keys(TITLE) as ErrorClass[];
  return [
    '# Errors',
    '',
    'Generated from `src/core/error-codes.ts` and `src/cli/error-texts.ts` by `npm run docs`.',
    '',
    'Every error names its code, what failed and why, what to do, and what state things are in now. The code decides the exit code.',
    'With `--json` the last line on standard output is `{"event":"error","code":…,"class":…,"exit":…,"what":…}`.',
    '',
    ...classes.flatMap((kind) =>
      section(
        kind,
        codes.filter((code) => ERROR_CLASS[code] === kind),
      ),
    ),
  ].join('\n');
}

function section(kind: ErrorClass, codes: readonly ErrorCode[]): string[] {
  const [first] = codes;
  if (first === undefined) return [];
  return [
    `## ${TITLE[kind]}: exit ${exitCodeOf(first)}`,
    '',
    '| code | what it means | what helps |',
    '|---|---|---|',
    ...codes.map((code) => `| \`${code}\` | ${ERROR_TEXT[code].meaning} | ${ERROR_TEXT[code].fix} |`),
    '',
  ];
}
