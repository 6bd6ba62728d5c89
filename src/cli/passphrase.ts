import { readFile } from 'node:fs/promises';
import { isPublicKeyText, parseSigningKey } from '../bundle/signature/sign.ts';
import { DeliverError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { askSecret, canAsk } from './prompt.ts';

/**
 * The passphrases of encrypted keys, asked for at the terminal before anything is drawn.
 * A file that can't be read is left for the flow to complain about.
 * @returns what answers for each path; it asks only where this could not
 * @throws DeliverError E_SIGN_KEY
 */
export async function passphrasesFor(paths: readonly string[]): Promise<(path: string) => Promise<Secret>> {
  const known = new Map<string, Secret>();
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    // For a public key the agent is asked, which needs no passphrase.
    if (text === undefined || known.has(path) || isPublicKeyText(text)) continue;
    await parseSigningKey(text, path, async (asked) => {
      const passphrase = await askPassphrase(asked);
      known.set(path, passphrase);
      return passphrase;
    });
  }
  return async (path) => known.get(path) ?? askPassphrase(path);
}

/** A passphrase for a new key, typed twice; undefined for none, or where nobody can be asked. @throws DeliverError E_SIGN_KEY */
export async function newPassphrase(path: string): Promise<Secret | undefined> {
  if (!canAsk()) return undefined;
  const first = await askSecret(`Passphrase for ${path} (empty for none): `);
  if (first.reveal() === '') return undefined;
  const second = await askSecret('The same again: ');
  if (first.reveal() === second.reveal()) return first;
  throw new DeliverError('E_SIGN_KEY', {
    what: 'The two passphrases differ.',
    fix: 'Run the command again.',
    state: 'Nothing was written.',
  });
}

/** @throws DeliverError E_SIGN_KEY when there is no terminal to ask at */
async function askPassphrase(path: string): Promise<Secret> {
  if (canAsk()) return askSecret(`Passphrase of ${path}: `);
  throw new DeliverError('E_SIGN_KEY', {
    what: `${path} needs a passphrase.`,
    why: 'There is no terminal to ask for it.',
    fix: 'Run the command at a terminal, or use a key without a passphrase that only this machine can read.',
    state: 'Nothing was written.',
  });
}
