import type { Command, Interfaces } from '@oclif/core';
import { padEnd, widthOf, wrap } from './text.ts';

export type CommandClass = Command.Class;
type Flag = Interfaces.FlagInput[string];

const PURPOSE =
  'Packages a whole release, carries it as one file across a one-way gateway, installs it on a site that never sees the internet.';

/** `deliver --help`: the life of a release, verb by verb. */
export function rootHelp(commands: Readonly<Record<string, CommandClass>>, width = 80): string[] {
  const rows = Object.entries(commands).map(([id, command]): [string, string] => [typed(id), command.summary ?? '']);
  return [
    ...wrap(PURPOSE, width),
    '',
    '  deliver COMMAND [flags]',
    '',
    'Commands, in the order of a release’s life',
    ...list(rows, width),
    '',
    '  deliver COMMAND --help   arguments, flags and examples of one command',
    '  deliver --version',
    '',
    'Exit codes',
    '  0 done · 2 usage · 3 bad input · 4 integrity or trust · 5 remote',
    '  6 preflight refused · 70 a bug in deliver · 130 interrupted',
  ];
}

/** `deliver COMMAND --help`. */
export function commandHelp(id: string, command: CommandClass, width = 80): string[] {
  const args = Object.entries(command.args).map(([name, arg]): [string, string] => [name.toUpperCase(), arg.description ?? '']);
  const own = flagRows(command.flags);
  const common = flagRows(command.baseFlags);
  return [
    ...wrap(command.summary ?? '', width),
    '',
    ...shellLines(usageOf(id, command), width),
    '',
    ...wrap(paragraph(command.description ?? ''), width - 2).map((line) => `  ${line}`),
    ...section('Arguments', list(args, width)),
    ...section('Flags', list(own, width)),
    ...section('Output', list(common, width)),
    ...section('Examples', exampleLines(command, width)),
  ];
}

/** How a command is typed: `receipt verify` for `receipt:verify`. */
export function typed(id: string): string {
  return id.replaceAll(':', ' ');
}

/** `deliver push BUNDLE --to HOST[/PROJECT] [flags]`: what is required, by name. */
export function usageOf(id: string, command: CommandClass): string {
  const args = Object.entries(command.args).map(([name, arg]) =>
    arg.required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`,
  );
  const required = Object.entries(command.flags)
    .filter(([, flag]) => flag.required === true)
    .map(([name, flag]) => `--${name}${valueOf(flag)}`);
  return ['deliver', typed(id), ...args, ...required, '[flags]'].join(' ');
}

/** Label and description of every flag that is shown. */
export function flagRows(flags: Interfaces.FlagInput | undefined): [string, string][] {
  return Object.entries(flags ?? {})
    .filter(([, flag]) => flag.hidden !== true)
    .map(([name, flag]) => [
      `${flag.char === undefined ? '   ' : `-${flag.char},`} --${name}${valueOf(flag)}`,
      descriptionOf(flag),
    ]);
}

/** The examples of a command as pairs of what it is for and the line to type. */
export function examplesOf(command: CommandClass): { readonly description?: string; readonly line: string }[] {
  return command.examples.map((example) => {
    const text = typeof example === 'string' ? example : example.command;
    const line = text.replaceAll('<%= config.bin %>', 'deliver');
    return typeof example === 'string' ? { line } : { description: example.description, line };
  });
}

function descriptionOf(flag: Flag): string {
  const fallback: unknown = flag.default;
  const notes = [
    flag.required === true ? 'required' : '',
    typeof fallback === 'string' && fallback !== '' ? `default: ${fallback}` : '',
  ];
  const shown = notes.filter((note) => note !== '').join(', ');
  return `${flag.description ?? ''}${shown === '' ? '' : ` (${shown})`}`;
}

function valueOf(flag: Flag): string {
  if (flag.type !== 'option') return '';
  return ` ${typeof flag.helpValue === 'string' ? flag.helpValue : 'VALUE'}`;
}

function exampleLines(command: CommandClass, width: number): string[] {
  return examplesOf(command).flatMap(({ description, line }, index) => [
    ...(index === 0 ? [] : ['']),
    ...(description === undefined ? [] : [`  # ${description}`]),
    ...shellLines(line, width),
  ]);
}

/** A command that can be copied: continued with a backslash where it is too long. */
function shellLines(command: string, width: number): string[] {
  const lines = wrap(command, width - 6);
  return lines.map((line, index) => `  ${index === 0 ? '' : '  '}${line}${index === lines.length - 1 ? '' : ' \\'}`);
}

function list(rows: readonly [string, string][], width: number): string[] {
  const left = Math.max(0, ...rows.map(([label]) => widthOf(label)));
  return rows.flatMap(([label, text]) =>
    wrap(text, width - left - 4).map((line, index) => `  ${padEnd(index === 0 ? label : '', left)}  ${line}`.trimEnd()),
  );
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** A description is one paragraph, however it is broken in the source. */
export function paragraph(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
