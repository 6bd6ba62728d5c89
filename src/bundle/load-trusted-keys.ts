import { readFile } from 'node:fs/promises';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import type { PublicKey } from './public-key.ts';
import { looksLikeKey, parseTrustedKeys } from './trusted-keys.ts';

/**
 * Keys that are trusted, each given as a line (`ssh-ed25519 AAAA… name`) or as a file of such lines.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_SCHEMA, E_NOT_YET
 */
export async function loadTrustedKeys(given: readonly string[]): Promise<readonly PublicKey[]> {
  const keys = await Promise.all(
    given.map(async (text) => (looksLikeKey(text) ? parseTrustedKeys(text, 'trusted key') : readKeys(text))),
  );
  return keys.flat();
}

async function readKeys(path: string): Promise<readonly PublicKey[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const missing = systemCode(error) === 'ENOENT';
    throw new DeliverError(missing ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
      what: missing ? `There is no key file ${path}.` : `The key file ${path} can't be read.`,
      why: messageOf(error),
      fix: 'Give the path of a .pub or allowed_signers file, or the line “ssh-ed25519 AAAA… name” itself.',
      cause: error,
    });
  });
  return parseTrustedKeys(text, path);
}
