import { DeliverError, messageOf } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { fingerprintOf } from './public-key.ts';
import { armor, signedData, SSHSIG_NAMESPACE } from './sshsig.ts';

const HASH = 'sha512';

/** A private key that can sign roots. */
export interface SigningKey {
  /** Comment inside the key file; often `user@host`. */
  readonly comment: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** Signature over raw data, 64 bytes. */
  sign(data: Buffer): Buffer;
  /** SSH wire format. */
  readonly publicKey: Buffer;
}

/**
 * Reads an OpenSSH ed25519 private key.
 * @param path for messages only
 * @param askPassphrase asked once, only when the key is encrypted
 * @throws DeliverError E_SIGN_KEY when it is no such key or the passphrase is wrong
 */
export async function parseSigningKey(
  text: string,
  path: string,
  askPassphrase: (path: string) => Promise<Secret>,
): Promise<SigningKey> {
  if (/^\s*(?:ssh-|ecdsa-|sk-)/.test(text))
    throw badKey(path, 'It is a public key.', 'Give the private key: the file without .pub.');
  // Only who signs pays for loading it.
  const { default: ssh2 } = await import('ssh2');
  const bare = ssh2.utils.parseKey(text);
  const encrypted = bare instanceof Error && /encrypted/i.test(bare.message);
  const key = encrypted ? ssh2.utils.parseKey(text, (await askPassphrase(path)).reveal()) : bare;
  if (key instanceof Error) {
    if (encrypted) throw badKey(path, 'The passphrase is wrong.', 'Run the command again and type the passphrase of the key.');
    throw badKey(path, messageOf(key), 'Make a key with: ssh-keygen -t ed25519');
  }
  if (key.type !== 'ssh-ed25519' || !key.isPrivateKey()) {
    throw badKey(path, `Its type is ${key.type}; supported is ssh-ed25519.`, 'Make a key with: ssh-keygen -t ed25519');
  }
  const publicKey = key.getPublicSSH();
  return { comment: key.comment, fingerprint: fingerprintOf({ blob: publicKey }), publicKey, sign: (data) => key.sign(data) };
}

/** The armored SSHSIG of a release manifest, as `ssh-keygen -Y sign -n deliver` would make it. */
export function signRoot(rootBytes: Uint8Array, key: SigningKey): string {
  const signature = key.sign(signedData(rootBytes, SSHSIG_NAMESPACE, HASH));
  return armor({ publicKey: key.publicKey, namespace: SSHSIG_NAMESPACE, hash: HASH, algorithm: 'ssh-ed25519', signature });
}

function badKey(path: string, why: string, fix: string): DeliverError {
  return new DeliverError('E_SIGN_KEY', { what: `${path} can't be used to sign.`, why, fix, state: 'Nothing was written.' });
}
