import { createHash } from 'node:crypto';
import { SshReader, sshString } from './ssh-wire.ts';

/** A signature for something else than a bundle must not count here, so the namespace is part of what is signed. */
export const SSHSIG_NAMESPACE = 'deliver';
const PREAMBLE = Buffer.from('SSHSIG');
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
/** What ssh-keygen wraps at. */
const LINE = 70;

/** A SSHSIG taken apart (openssh PROTOCOL.sshsig). */
export interface SshSignature {
  /** Public key in SSH wire format. */
  readonly publicKey: Buffer;
  readonly namespace: string;
  readonly hash: 'sha256' | 'sha512';
  /** `ssh-ed25519`, `rsa-sha2-512` … */
  readonly algorithm: string;
  readonly signature: Buffer;
}

/** What is really signed: the namespace and a hash of the message. */
export function signedData(message: Uint8Array, namespace: string, hash: 'sha256' | 'sha512'): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([PREAMBLE, sshString(namespace), sshString(''), sshString(hash), sshString(digest)]);
}

/** The armored text, byte for byte as `ssh-keygen -Y sign` writes it. */
export function armor(signature: SshSignature): string {
  const version = Buffer.from([0, 0, 0, 1]);
  const inner = Buffer.concat([sshString(signature.algorithm), sshString(signature.signature)]);
  const blob = Buffer.concat([
    PREAMBLE,
    version,
    sshString(signature.publicKey),
    sshString(signature.namespace),
    sshString(''),
    sshString(signature.hash),
    sshString(inner),
  ]);
  const lines = blob.toString('base64').match(new RegExp(`.{1,${String(LINE)}}`, 'g')) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}

/**
 * Takes the armor as `ssh-keygen -Y verify` does: lines of any width, white space between them, anything after the last
 * one; nothing before the first or at its end (so no CR LF there), and no base64 with stray bits.
 * @throws RangeError saying what is wrong when the text is no well-formed SSHSIG
 */
export function dearmor(armored: string): SshSignature {
  const end = armored.indexOf(`\n${END}`);
  if (!armored.startsWith(`${BEGIN}\n`) || end < 0) throw new RangeError('it is not an armored SSH signature');
  const base64 = armored.slice(BEGIN.length, end).replace(/[ \t\n\v\f\r]+/g, '');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw new RangeError('it is not base64');
  const reader = new SshReader(bytes);
  if (!reader.take(PREAMBLE.length).equals(PREAMBLE)) throw new RangeError('it does not begin with SSHSIG');
  if (reader.uint32() > 1) throw new RangeError('its version is not 1');
  const publicKey = reader.string();
  const namespace = reader.text();
  reader.string();
  const hash = reader.text();
  if (hash !== 'sha256' && hash !== 'sha512') throw new RangeError(`its hash is “${hash}”`);
  const inner = new SshReader(reader.string());
  const algorithm = inner.text();
  const signature = inner.string();
  if (!reader.atEnd || !inner.atEnd) throw new RangeError('it has bytes after its end');
  return { publicKey, namespace, hash, algorithm, signature };
}
