import { readFile } from 'node:fs/promises';
import { parseSigningKey } from '../bundle/sign.ts';
import { DeliverError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { askSecret, canAsk } from './prompt.ts';

/**
 * The passphrase of an encrypted key, asked for at the terminal; undefined for a key that needs none.
 * A file that can't be read is left for the flow to complain about.
 * @throws DeliverError E_SIGN_KEY
 */
export async function passphraseFor(path: string): Promise<Secret | undefined> {
  let passphrase: Secret | undefined;
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  await parseSigningKey(text, path, async (asked) => (passphrase = await askPassphrase(asked)));
  return passphrase;
}

/** @throws DeliverError E_SIGN_KEY when there is no terminal to ask at */
export async function askPassphrase(path: string): Promise<Secret> {
  if (canAsk()) return askSecret(`Passphrase of ${path}: `);
  throw new DeliverError('E_SIGN_KEY', {
    what: `${path} needs a passphrase.`,
    why: 'There is no terminal to ask for it.',
    fix: 'Run the command at a terminal, or use a key without a passphrase that only this machine can read.',
    state: 'Nothing was written.',
  });
}
