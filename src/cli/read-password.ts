import { text } from 'node:stream/consumers';
import { DeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { askSecret, canAsk } from './prompt.ts';

/**
 * The password of a registry account: standard input when asked for, else the terminal. Never argv.
 * @throws DeliverError E_USAGE when there is neither
 */
export async function readPassword(username: string, host: string, fromStdin: boolean): Promise<Secret> {
  if (fromStdin) {
    // One line break at the end is the shell's, not the password's.
    const password = (await text(process.stdin)).replace(/\r?\n$/, '');
    if (password !== '') return new Secret(password);
    throw new DeliverError('E_USAGE', {
      what: 'Standard input is empty: there is no password in it.',
      fix: 'Give it with < FILE or a pipe.',
    });
  }
  if (canAsk()) return askSecret(`Password of ${username} at ${host}: `);
  throw new DeliverError('E_USAGE', {
    what: `There is no password for ${username}.`,
    why: 'There is no terminal to ask at.',
    fix: 'Use --password-stdin and give the password on standard input.',
  });
}
