import { createHash } from 'node:crypto';

/** A public key as it goes over the wire (RFC 4253 section 6.6) and in known_hosts (base64). */
export interface PublicKey {
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256` … */
  readonly type: string;
  readonly blob: Buffer;
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The key type that the blob itself names, undefined when it is not a key. */
export function typeOfBlob(blob: Buffer): string | undefined {
  if (blob.length < 5) return undefined;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length <= 4 + length) return undefined;
  return blob.toString('latin1', 4, 4 + length);
}

/** Reads `ssh-ed25519 AAAA… comment`; undefined when that is no key or its two types differ. */
export function parsePublicKey(line: string): PublicKey | undefined {
  const [type, text] = line.trim().split(/\s+/);
  if (type === undefined || text === undefined || !BASE64.test(text)) return undefined;
  const blob = Buffer.from(text, 'base64');
  return typeOfBlob(blob) === type ? { type, blob } : undefined;
}

/** `ssh-ed25519 AAAA…`, as authorized_keys, known_hosts and the site file want it. */
export function publicKeyText(blob: Buffer): string {
  return `${typeOfBlob(blob) ?? 'unknown'} ${blob.toString('base64')}`;
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
