import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { basename } from 'node:path';
import { DeliverError, messageOf } from '../../core/errors.ts';
import type { PublicKey } from './public-key.ts';
import { sshString } from './ssh-wire.ts';

export const PEM_BEGIN = '-----BEGIN PUBLIC KEY-----';

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };

/**
 * A public key as cosign writes it (cosign.pub: PEM of a SubjectPublicKeyInfo), in the form of all the others, so that
 * one key has one fingerprint however it was given.
 * @throws DeliverError E_SCHEMA
 */
export function parsePemKey(text: string, source: string): PublicKey {
  const name = source.includes('/') || source.endsWith('.pub') ? basename(source) : '';
  try {
    const { type, blob } = wireForm(createPublicKey(text).export({ format: 'jwk' }));
    return { type, blob, name };
  } catch (error) {
    throw new DeliverError('E_SCHEMA', {
      what: `${source} is no public key that deliver can use.`,
      why: messageOf(error),
      fix: 'Give an ECDSA, ed25519 or RSA public key in PEM form, as cosign writes cosign.pub.',
      cause: error,
    });
  }
}

/** RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4. */
function wireForm({ kty, crv = '', x = '', y = '', e = '', n = '' }: JsonWebKey): { type: string; blob: Buffer } {
  const curve = CURVES[crv];
  if (kty === 'OKP' && crv === 'Ed25519') return wire('ssh-ed25519', bytesOf(x));
  if (kty === 'EC' && curve !== undefined) {
    const point = Buffer.concat([Buffer.from([4]), bytesOf(x), bytesOf(y)]);
    return wire(`ecdsa-sha2-${curve}`, Buffer.from(curve), point);
  }
  if (kty === 'RSA') return wire('ssh-rsa', mpint(bytesOf(e)), mpint(bytesOf(n)));
  throw new RangeError(`It is a key of the kind ${String(kty)} ${crv}`.trim());
}

function wire(type: string, ...fields: readonly Buffer[]): { type: string; blob: Buffer } {
  return { type, blob: Buffer.concat([Buffer.from(type), ...fields].map((field) => sshString(field))) };
}

/** A number whose first bit is set gets a zero before it, or it would be negative (RFC 4251, section 5). */
function mpint(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}

function bytesOf(base64url: string): Buffer {
  return Buffer.from(base64url, 'base64url');
}
