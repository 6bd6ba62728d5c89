import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';

export interface WebAccount {
  readonly username: string;
  readonly password: Secret;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Accounts of web servers, from the file that curl, git and pip read too: $NETRC, else ~/.netrc. Its `default` is not taken: an
 * account goes to the very server that it is written for.
 */
export class Netrc {
  readonly #path: string;
  #accounts: Promise<ReadonlyMap<string, WebAccount>> | undefined;

  constructor(env: Environment) {
    const named = env.NETRC ?? '';
    this.#path = named === '' ? join(env.HOME ?? homedir(), '.netrc') : named;
  }

  /**
   * The account for a host name, undefined when there is none.
   * @throws DeliverError E_FILE_UNREADABLE
   */
  async find(host: string): Promise<WebAccount | undefined> {
    this.#accounts ??= readAccounts(this.#path);
    return (await this.#accounts).get(host);
  }
}

async function readAccounts(path: string): Promise<ReadonlyMap<string, WebAccount>> {
  try {
    return accountsIn(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return new Map();
    throw new DeliverError('E_FILE_UNREADABLE', {
      what: `The accounts of web servers in ${path} can’t be read.`,
      why: messageOf(error),
      fix: 'Make it readable for you alone, or name another file as NETRC.',
    });
  }
}

/** `machine host login name password word`, in any order and over any number of lines; the first entry of a host counts. */
export function accountsIn(text: string): ReadonlyMap<string, WebAccount> {
  const accounts = new Map<string, WebAccount>();
  const words = text
    // Macros last until an empty line.
    .replace(/^\s*macdef\b[^\n]*\n(?:[^\n]*\S[^\n]*(?:\n|$))*/gm, '')
    .split('\n')
    .flatMap((line) => line.replace(/^\s*#.*/, '').match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [])
    .map((word) => (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word));
  let entry: { host?: string; login?: string; password?: string } = {};
  const keep = (): void => {
    const { host, login, password } = entry;
    if (host === undefined || login === undefined || password === undefined || accounts.has(host)) return;
    accounts.set(host, { username: login, password: new Secret(password) });
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === 'machine' || word === 'default') {
      keep();
      const host = word === 'machine' ? words[++at] : undefined;
      entry = host === undefined ? {} : { host };
    } else if (word === 'login' || word === 'password') {
      const value = words[++at];
      if (value !== undefined) entry[word] = value;
    } else if (word === 'account') at++;
  }
  keep();
  return accounts;
}
