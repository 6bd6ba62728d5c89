import type { Secret } from '../../core/secret.ts';
import { DeliverError } from '../../core/errors.ts';
import { fingerprintOf } from './public-key.ts';

/** Rounds of bcrypt_pbkdf, as ssh-keygen's default since OpenSSH 9.4. */
const ROUNDS = 24;

/** string "ssh-ed25519", string of 32 bytes (RFC 8709, section 4). */
const BLOB_BYTES = 4 + 11 + 4 + 32;

export interface MadeKey {
  /** OpenSSH private key file. */
  readonly privateText: string;
  /** `ssh-ed25519 AAAA… comment` */
  readonly publicLine: string;
  readonly fingerprint: string;
}

/** A new ed25519 key pair, as ssh-keygen writes it. */
export async function makeSigningKey(comment: string, passphrase: Secret | undefined): Promise<MadeKey> {
  if (/[^\x20-\x7e]/.test(comment)) throw new DeliverError('E_USAGE', { what: 'The comment of a key is printable ASCII text.' });
  const { default: ssh2 } = await import('ssh2');
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', {
      comment,
      ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal(), cipher: 'aes256-ctr', rounds: ROUNDS }),
    });
    const publicLine = made.public.trim();
    const blob = Buffer.from(publicLine.split(' ')[1] ?? '', 'base64');
    // ssh2 1.17 drops zeros at the front of the public key: one pair in 256 is such that nobody can read it.
    if (blob.length !== BLOB_BYTES) continue;
    return { privateText: `${made.private.trimEnd()}\n`, publicLine, fingerprint: fingerprintOf({ blob }) };
  }
}
