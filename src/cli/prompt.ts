import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { DeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { clean } from './clean.ts';
import { WORDS } from './words.ts';

interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

const OURS: Terminal = { input: process.stdin, output: process.stderr };

/** True when somebody can be asked. */
export function canAsk(terminal: Terminal = OURS): boolean {
  return terminal.input.isTTY && terminal.output.isTTY;
}

/** Asks for a secret; what is typed is not shown. @throws DeliverError E_INTERRUPTED on Ctrl-C or Ctrl-D. */
export async function askSecret(question: string, terminal: Terminal = OURS): Promise<Secret> {
  terminal.output.write(clean(question));
  // readline echoes into its output: this one drops it.
  const dark = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  try {
    return new Secret(await readLine(terminal.input, dark));
  } finally {
    terminal.output.write('\n');
  }
}

/** Asks yes or no; no is the default. @throws DeliverError E_INTERRUPTED on Ctrl-C or Ctrl-D. */
export async function confirm(question: string, terminal: Terminal = OURS): Promise<boolean> {
  terminal.output.write(`${clean(question)} [y/N] `);
  return /^y(es)?$/i.test((await readLine(terminal.input, terminal.output)).trim());
}

/** @throws DeliverError E_NEEDS_CONSENT when nobody can be asked: better before the plan is made than after. */
export function refuseUnasked(terminal: Terminal = OURS): void {
  if (canAsk(terminal)) return;
  throw new DeliverError('E_NEEDS_CONSENT', {
    what: 'This would change the site, and there is no terminal to ask you at.',
    fix: 'Look at deliver plan with the same bundle and site, then run the same command with --yes.',
    state: 'Nothing was changed.',
  });
}

/**
 * Lets a command go on that changes a site: `--yes`, or a yes at the terminal.
 * @throws DeliverError E_NEEDS_CONSENT when nobody can be asked, E_INTERRUPTED when the answer is no.
 */
export async function consent(question: string, yes: boolean, terminal: Terminal = OURS): Promise<void> {
  if (yes) return;
  refuseUnasked(terminal);
  if (await confirm(question, terminal)) return;
  throw new DeliverError('E_INTERRUPTED', {
    what: 'Not done, as you said.',
    fix: 'Run the same command again when you are ready.',
    state: 'Nothing was changed.',
  });
}

/**
 * Lets a command go on that destroys something: its name typed at the terminal, or given again as a flag.
 * @throws DeliverError E_USAGE when another name was given, E_NEEDS_CONSENT when nobody can be asked, E_INTERRUPTED
 */
export async function confirmName(
  name: string,
  question: string,
  given: string | undefined,
  terminal: Terminal = OURS,
): Promise<void> {
  const state = 'Nothing was changed.';
  if (given === name) return;
  if (given !== undefined)
    throw new DeliverError('E_USAGE', { what: `--confirm says ${given}, and the host is ${name}.`, state });
  if (!canAsk(terminal)) {
    const what = `${question} There is no terminal to ask you at.`;
    throw new DeliverError('E_NEEDS_CONSENT', { what, fix: `Run the same command with --confirm ${name}.`, state });
  }
  terminal.output.write(`${clean(question)} Type ${clean(name)} to go on: `);
  if ((await readLine(terminal.input, terminal.output)).trim() === name) return;
  throw new DeliverError('E_INTERRUPTED', { what: 'Not done: that was another name.', state });
}

function readLine(input: NodeJS.ReadStream, output: NodeJS.WritableStream): Promise<string> {
  const line = createInterface({ input, output, terminal: true, historySize: 0 });
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new DeliverError('E_INTERRUPTED', { what: WORDS.interrupted, fix: WORDS.goOn }));
      line.close();
    };
    line.once('SIGINT', stop);
    line.once('close', stop);
    line.once('line', (text) => {
      resolve(text);
      line.close();
    });
  });
}
