import { readFile } from 'node:fs/promises';
import { DeliverError, messageOf, systemCode } from '../../core/errors.ts';
import { fingerprintOf, type PublicKey } from './public-key.ts';
import { looksLikeKey, parseTrustedKeys } from './trusted-keys.ts';

/** Whose signatures count, and how many different ones of them are needed. */
export interface TrustPolicy {
  readonly keys: readonly PublicKey[];
  /** At least 1. */
  readonly threshold: number;
}

/**
 * The policy of keys that are each given as a line (`ssh-ed25519 AAAA… name`), a PEM text, or a file of those.
 * @param pathOf makes the name of a file absolute
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_SCHEMA, E_NOT_YET
 */
export async function loadTrustPolicy(
  given: readonly string[],
  threshold = 1,
  pathOf: (file: string) => string = (file) => file,
): Promise<TrustPolicy> {
  const keys = await loadTrustedKeys(given, pathOf);
  const different = new Set(keys.map(fingerprintOf)).size;
  if (threshold === 1 || different >= threshold) return { keys, threshold };
  throw new DeliverError('E_SCHEMA', {
    what: `Signatures by ${String(threshold)} different keys are asked for, but ${String(different)} are trusted.`,
    fix: 'Name more keys, or lower the threshold.',
  });
}

async function loadTrustedKeys(given: readonly string[], pathOf: (file: string) => string): Promise<readonly PublicKey[]> {
  const keys = await Promise.all(
    given.map(async (text) => (looksLikeKey(text) ? parseTrustedKeys(text, 'trusted key') : readKeys(pathOf(text)))),
  );
  return keys.flat();
}

async function readKeys(path: string): Promise<readonly PublicKey[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const missing = systemCode(error) === 'ENOENT';
    throw new DeliverError(missing ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
      what: missing ? `There is no key file ${path}.` : `The key file ${path} can't be read.`,
      why: messageOf(error),
      fix: 'Give the path of a .pub, allowed_signers or PEM file, or the line “ssh-ed25519 AAAA… name” itself.',
      cause: error,
    });
  });
  return parseTrustedKeys(text, path);
}
