import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import { DeliverError } from '../../core/errors.ts';
import { SshReader } from './ssh-wire.ts';

/** A public key that is trusted to sign releases, and what its owner is called. */
export interface PublicKey {
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256` … */
  readonly type: string;
  /** SSH wire format (RFC 4253, section 6.6). */
  readonly blob: Buffer;
  /** Comment of the key or principal of the allowed_signers line; may be empty. */
  readonly name: string;
  /** Milliseconds of Unix time before which its signatures don't count. */
  readonly validAfter?: number;
  /** Milliseconds of Unix time after which its signatures don't count. */
  readonly validBefore?: number;
}

const CURVES: Readonly<Record<string, { readonly crv: string; readonly bytes: number; readonly hash: string }>> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', bytes: 32, hash: 'sha256' },
  'ecdsa-sha2-nistp384': { crv: 'P-384', bytes: 48, hash: 'sha384' },
  'ecdsa-sha2-nistp521': { crv: 'P-521', bytes: 66, hash: 'sha512' },
};
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };

/** `SHA256:…` as ssh-keygen -l shows it. */
export function fingerprintOf(key: Pick<PublicKey, 'blob'>): string {
  return `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * Whether `signature` is this key's over `data`.
 * @param algorithm of the signature: `ssh-ed25519`, `ecdsa-sha2-…`, `rsa-sha2-256`, `rsa-sha2-512`
 * @throws DeliverError E_NOT_YET for other kinds of keys; RangeError when key or signature are malformed
 */
export function verifyWith(key: Pick<PublicKey, 'blob'>, algorithm: string, data: Buffer, signature: Buffer): boolean {
  const { type, object, curve } = keyObject(key.blob);
  if (type === 'ssh-ed25519') return algorithm === type && verify(null, data, object, signature);
  if (curve !== undefined) {
    if (algorithm !== type) return false;
    return verify(curve.hash, data, { key: object, dsaEncoding: 'ieee-p1363' }, fixedPair(signature, curve.bytes));
  }
  const hash = RSA_HASHES[algorithm];
  return hash !== undefined && verify(hash, data, object, signature);
}

/**
 * Whether `signature` is this key's over `message`, in the form that cosign writes: ECDSA in DER, RSA PKCS #1 v1.5.
 * @throws DeliverError E_NOT_YET for other kinds of keys; RangeError when the key is malformed
 */
export function verifyMessage(key: Pick<PublicKey, 'blob'>, message: Uint8Array, signature: Buffer): boolean {
  const { type, object, curve } = keyObject(key.blob);
  if (type === 'ssh-ed25519') return verify(null, message, object, signature);
  // Older versions of cosign hash with sha256 whatever the curve.
  const hashes = new Set(['sha256', ...(curve === undefined ? [] : [curve.hash])]);
  return [...hashes].some((hash) => verify(hash, message, object, signature));
}

function keyObject(blob: Buffer): { type: string; object: KeyObject; curve?: (typeof CURVES)[string] } {
  const reader = new SshReader(blob);
  const type = reader.text();
  const curve = CURVES[type];
  if (type === 'ssh-ed25519') return { type, object: publicKey({ kty: 'OKP', crv: 'Ed25519', x: base64url(reader.string()) }) };
  if (curve !== undefined) {
    reader.string();
    const point = reader.string();
    if (point.length !== 1 + 2 * curve.bytes || point[0] !== 4) throw new RangeError('its point is not uncompressed');
    const x = base64url(point.subarray(1, 1 + curve.bytes));
    const y = base64url(point.subarray(1 + curve.bytes));
    return { type, curve, object: publicKey({ kty: 'EC', crv: curve.crv, x, y }) };
  }
  if (type === 'ssh-rsa') {
    const e = base64url(unsigned(reader.string()));
    const n = base64url(unsigned(reader.string()));
    return { type, object: publicKey({ kty: 'RSA', e, n }) };
  }
  throw new DeliverError('E_NOT_YET', {
    what: `Signatures by ${type} keys can't be checked yet.`,
    fix: 'Sign with an ssh-ed25519 key: ssh-keygen -t ed25519',
  });
}

/** The type that is written inside the key itself. @throws RangeError */
export function typeOfBlob(blob: Uint8Array): string {
  return new SshReader(blob).text();
}

function publicKey(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}

/** r and s as two numbers of fixed length; SSH writes them as mpints (RFC 5656, section 3.1.2). */
function fixedPair(signature: Buffer, bytes: number): Buffer {
  const reader = new SshReader(signature);
  const pair = [unsigned(reader.string()), unsigned(reader.string())].map((number) => {
    if (number.length > bytes) throw new RangeError('its numbers are too long');
    return Buffer.concat([Buffer.alloc(bytes - number.length), number]);
  });
  return Buffer.concat(pair);
}

function unsigned(mpint: Buffer): Buffer {
  const start = mpint.findIndex((byte) => byte !== 0);
  return start < 0 ? Buffer.alloc(0) : mpint.subarray(start);
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}
