import { DeliverError, messageOf } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import { fingerprintOf } from './public-key.ts';
import { armor, signedData, SSHSIG_NAMESPACE } from './sshsig.ts';
import { parseTrustedKeys } from './trusted-keys.ts';

const HASH = 'sha512';

/** An ed25519 key that can sign, in our hands or in those of an agent. */
export interface RootSigner {
  /** Comment of the key file; often `user@host`. */
  readonly comment: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** Signature over raw data, 64 bytes. */
  sign(data: Buffer): Buffer | Promise<Buffer>;
  /** SSH wire format. */
  readonly publicKey: Buffer;
}

/** A private key in our hands. */
export interface SigningKey extends RootSigner {
  sign(data: Buffer): Buffer;
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
  if (isPublicKeyText(text)) throw badKey(path, 'It is a public key.', 'Give the private key: the file without .pub.');
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

/** True for the text of a .pub file. */
export function isPublicKeyText(text: string): boolean {
  return /^\s*(?:ssh-|ecdsa-|sk-)/.test(text);
}

/** The public half of a key that an agent holds. @throws DeliverError E_SIGN_KEY when it is of a kind that can't sign */
export function parseAgentKey(text: string, path: string): Omit<RootSigner, 'sign'> {
  const [key, ...more] = parseTrustedKeys(text, path);
  if (key === undefined || more.length > 0) throw badKey(path, 'It holds several public keys.', 'Give one .pub file for each.');
  if (key.type !== 'ssh-ed25519')
    throw badKey(path, `Its type is ${key.type}; supported is ssh-ed25519.`, 'Make a key with: ssh-keygen -t ed25519');
  return { comment: key.name, fingerprint: fingerprintOf(key), publicKey: key.blob };
}

/** The armored SSHSIG of a release manifest, as `ssh-keygen -Y sign -n deliver` would make it. */
export async function signRoot(rootBytes: Uint8Array, key: RootSigner): Promise<string> {
  const signature = await key.sign(signedData(rootBytes, SSHSIG_NAMESPACE, HASH));
  return armor({ publicKey: key.publicKey, namespace: SSHSIG_NAMESPACE, hash: HASH, algorithm: 'ssh-ed25519', signature });
}

function badKey(path: string, why: string, fix: string): DeliverError {
  return new DeliverError('E_SIGN_KEY', { what: `${path} can't be used to sign.`, why, fix, state: 'Nothing was written.' });
}
