import { BaseCommand } from '../../../src/cli/base-command.ts';
import { COMMANDS } from '../../../src/cli/command-table.ts';
import { examplesOf, flagRows, paragraph, typed, usageOf, type CommandClass } from '../../../src/cli/help-text.ts';

/** docs/reference/cli.md, from the command table. */
export function cliReference(): string {
  const commands: Readonly<Record<string, CommandClass>> = COMMANDS;
  return [
    '# Commands',
    '',
    'Generated from the command table by `npm run docs`. `deliver COMMAND --help` shows the same.',
    '',
    'Every command takes these:',
    '',
    ...flagTable(flagRows(BaseCommand.baseFlags)),
    '',
    'Exit codes: 0 done, 2 usage, 3 bad input, 4 integrity or trust, 5 remote (host, registry, cluster), 6 preflight refused,',
    '70 a bug in deliver, 130 interrupted. [errors.md](../errors.md) explains every error code.',
    '',
    ...Object.entries(commands).flatMap(([id, command]) => page(id, command)),
  ].join('\n');
}

function page(id: string, command: CommandClass): string[] {
  const args = Object.entries(command.args).map(([name, arg]): [string, string] => [name.toUpperCase(), arg.description ?? '']);
  const flags = flagRows(command.flags);
  return [
    `## deliver ${typed(id)}`,
    '',
    `${command.summary ?? ''}.`,
    '',
    '```',
    usageOf(id, command),
    '```',
    '',
    paragraph(command.description ?? ''),
    '',
    ...flagTable([...args, ...flags]),
    '',
    '```sh',
    ...examplesOf(command).flatMap(({ description, line }) => [...(description === undefined ? [] : [`# ${description}`]), line]),
    '```',
    '',
  ];
}

function flagTable(rows: readonly [string, string][]): string[] {
  return ['| | |', '|---|---|', ...rows.map(([label, text]) => `| \`${label.trim()}\` | ${text} |`)];
}
