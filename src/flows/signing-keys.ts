import { readFile } from 'node:fs/promises';
import type { Signer } from '../bundle/check-signature.ts';
import { parseSigningKey, type SigningKey } from '../bundle/sign.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';

/** A key that signs, and how its owner is shown. */
export interface NamedKey {
  readonly key: SigningKey;
  readonly signer: Signer;
}

/**
 * The private keys in these files, each once.
 * @throws DeliverError E_SIGN_KEY
 */
export async function signingKeys(
  paths: readonly string[],
  askPassphrase: (path: string) => Promise<Secret>,
): Promise<readonly NamedKey[]> {
  const keys = new Map<string, NamedKey>();
  // One after the other: a person may be asked for several passphrases.
  for (const path of paths) {
    const key = await parseSigningKey(await readKey(path), path, askPassphrase);
    const name = key.comment === '' ? path : key.comment;
    keys.set(key.fingerprint, { key, signer: { name, fingerprint: key.fingerprint } });
  }
  return [...keys.values()];
}

async function readKey(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new DeliverError('E_SIGN_KEY', {
      what: `${path} can't be used to sign.`,
      why: messageOf(error),
      fix: 'Give the path of an OpenSSH ed25519 private key; make one with: deliver keygen FILE',
      state: 'Nothing was written.',
      cause: error,
    });
  });
}
