import type { Errors } from '@oclif/core';
import { DeliverError } from '../core/errors.ts';
import { didYouMean, nearest } from '../manifest/suggest.ts';
import { WORDS } from './words.ts';

/** The part of the command table that is needed to say what was meant. */
type Table = Readonly<Record<string, { readonly flags: object; readonly baseFlags?: object }>>;

/** What oclif adds: where help is, and advice about flags that take all words after them, which ours don't. */
const NOISE = /^(?:See more help|Note: --\S+ allows multiple values|Alternatively, you can use "--")/;
const HEADING = /^The following errors? occurred:$/;
const HELP: ReadonlySet<string> = new Set(['--help', '-h', '--version']);

/** @throws DeliverError E_USAGE when the first word is no command. */
export function checkCommand(argv: readonly string[], table: Table): void {
  const [first] = argv;
  if (first === undefined || HELP.has(first) || Object.hasOwn(table, first)) return;
  if (first.startsWith('-')) {
    throw new DeliverError('E_USAGE', { what: `A command has to come before ${first}.`, fix: 'Write deliver COMMAND [flags].' });
  }
  const topic = Object.keys(table).filter((name) => name.startsWith(`${first}:`));
  if (topic.length > 0) {
    checkTopic(first, argv[1] ?? '', topic);
    return;
  }
  // `receipt:verify` is typed as two words, of which the first is a command too; `import` alone is none.
  const names = [
    ...new Set(Object.keys(table).map((name) => (Object.hasOwn(table, before(name)) ? before(name) : spoken(name)))),
  ];
  const meant = nearest(first, names);
  throw new DeliverError('E_USAGE', {
    what: `“${first}” is not a command of deliver.`,
    why: `The commands are ${names.join(', ')}.`,
    fix: meant === undefined ? WORDS.seeHelp('') : `Did you mean deliver ${[meant, ...argv.slice(1)].join(' ')}?`,
  });
}

/** `import` needs to be followed by one of its words. */
function checkTopic(first: string, second: string, ids: readonly string[]): void {
  if (ids.includes(`${first}:${second}`)) return;
  const meant =
    nearest(
      second,
      ids.map((id) => id.slice(first.length + 1)),
    ) ?? (ids.length === 1 ? ids[0]?.slice(first.length + 1) : undefined);
  throw new DeliverError('E_USAGE', {
    what:
      second === '' || second.startsWith('-')
        ? `deliver ${first} needs another word.`
        : `“${first} ${second}” is not a command of deliver.`,
    why: `There is ${ids.map((id) => `deliver ${spoken(id)}`).join(', ')}.`,
    fix: meant === undefined ? WORDS.seeHelp('') : WORDS.seeHelp(`${first} ${meant}`),
  });
}

function before(id: string): string {
  return id.split(':')[0] ?? id;
}

function spoken(id: string): string {
  return id.replaceAll(':', ' ');
}

/** What oclif's parser threw, in our words. */
export function usageError(error: Errors.CLIError, argv: readonly string[], table: Table): DeliverError {
  const [first = '', ...rest] = error.message
    .split('\n')
    // Its own heading over the one thing that matters.
    .filter((line, index) => line !== '' && !NOISE.test(line) && !(index === 0 && HEADING.test(line)))
    .map((line, index) => (index === 0 ? line.trim() : line));
  const details = rest.map((line) => line.trimEnd()).filter((line) => line !== '');
  const two = `${argv[0] ?? ''}:${argv[1] ?? ''}`;
  const command = Object.hasOwn(table, two) ? two : (argv[0] ?? '');
  return new DeliverError('E_USAGE', {
    what: sentence(first.replace(/^Nonexistent flag/, 'Unknown flag').replace(/\barg(s?)\b/, 'argument$1')),
    ...(details.length === 0 ? {} : { details }),
    fix: `${flagMeant(first, table[command])}${WORDS.seeHelp(spoken(command))}`,
    cause: error,
  });
}

function flagMeant(message: string, command: Table[string] | undefined): string {
  const flag = /^Nonexistent flags?: (--?[^,\s]+)/.exec(message)?.[1];
  if (flag === undefined || command === undefined) return '';
  const known = Object.keys({ ...command.baseFlags, ...command.flags }).map((name) => `--${name}`);
  const meant = didYouMean(flag, known).trim();
  return meant === '' ? '' : `${meant} `;
}

function sentence(text: string): string {
  return /[.:!?]$/.test(text) ? text : `${text}.`;
}
