import { compare, hash, truncates } from 'bcryptjs';
import { DeliverError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';

/** bcrypt’s cost, as htpasswd -B has it: the registry checks the password anew with every request, 2 ms each; at 10 it would be 60. */
const COST = 5;

export interface Account {
  readonly username: string;
  readonly password: Secret;
}

/**
 * The htpasswd file for these accounts. A line that already fits its password stays as it is, so that a second run changes nothing.
 * @param kept the file that is there now
 */
export async function accountsFile(accounts: readonly Account[], kept: string | undefined): Promise<Secret> {
  const lines = new Map((kept ?? '').split('\n').map((line): [string, string] => [line.slice(0, line.indexOf(':')), line]));
  const written: string[] = [];
  for (const account of accounts) {
    const line = lines.get(account.username);
    written.push(line !== undefined && (await fits(line, account)) ? line : await lineOf(account));
  }
  return new Secret(`${written.join('\n')}\n`);
}

async function fits(line: string, { username, password }: Account): Promise<boolean> {
  return compare(password.reveal(), line.slice(username.length + 1)).catch(() => false);
}

async function lineOf({ username, password }: Account): Promise<string> {
  if (username === '' || /[:\s]/.test(username))
    throw refused(`“${username}” can’t be the name of a registry account.`, 'Leave “:” and spaces out of it.');
  if (truncates(password.reveal()))
    throw refused(
      `The password of ${username} is longer than 72 bytes.`,
      'Take a shorter one: bcrypt, which the registry checks it by, ignores the rest.',
    );
  // The registry is written in Go, whose bcrypt knows the prefix 2a and 2b.
  return `${username}:${await hash(password.reveal(), COST)}`;
}

function refused(what: string, fix: string): DeliverError {
  return new DeliverError('E_SCHEMA', { what, fix, state: 'Nothing was changed.' });
}
