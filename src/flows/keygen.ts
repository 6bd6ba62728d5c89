import { lstat, open, rm } from 'node:fs/promises';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { makeSigningKey } from '../bundle/signature/make-key.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';

export interface KeygenInput {
  /** Where the private key goes; the public one gets `.pub` behind it. */
  readonly path: string;
  readonly comment: string;
  readonly passphrase?: Secret;
}

export interface KeygenResult extends Signer {
  readonly privateKey: string;
  readonly publicKey: string;
  /** What others put under trust:. */
  readonly line: string;
  readonly encrypted: boolean;
}

/**
 * Makes a key pair to sign releases with. Nothing that is there is ever overwritten.
 * @throws DeliverError E_OUTPUT
 */
export async function keygen({ path, comment, passphrase }: KeygenInput): Promise<KeygenResult> {
  const publicPath = `${path}.pub`;
  await refuseExisting(path, publicPath);
  const { privateText, publicLine, fingerprint } = await makeSigningKey(comment, passphrase);
  await writeNew(path, privateText, 0o600);
  try {
    await writeNew(publicPath, `${publicLine}\n`, 0o644);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  const encrypted = passphrase !== undefined;
  return { privateKey: path, publicKey: publicPath, line: publicLine, name: comment, fingerprint, encrypted };
}

/** @throws DeliverError E_OUTPUT before anybody is asked for a passphrase */
export async function refuseExisting(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw notWritten(path, 'It is there already, and a key is never overwritten.');
  }
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const handle = await open(path, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw notWritten(path, messageOf(error));
  }
}

function notWritten(path: string, why: string): DeliverError {
  return new DeliverError('E_OUTPUT', {
    what: `${path} can't be written.`,
    why,
    fix: 'Choose another name for the key.',
    state: 'No key was made.',
  });
}
