import { isDeliverError, messageOf } from '../../core/errors.ts';
import { fingerprintOf, verifyMessage, verifyWith, type PublicKey } from './public-key.ts';
import { signatureKind } from './signature-room.ts';
import { isOver, parseSigstore } from './sigstore.ts';
import { dearmor, signedData, SSHSIG_NAMESPACE } from './sshsig.ts';

/** Who signed, by a key that the caller trusts. */
export interface Signer {
  /** Comment of the key or principal; empty when the key was given without one. */
  readonly name: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

/** What a signature is for: it counts for nothing else. */
export interface Purpose {
  /** Namespace of a SSHSIG. */
  readonly namespace: string;
  /** What it is over, for messages. */
  readonly over: string;
}

const RELEASE: Purpose = { namespace: SSHSIG_NAMESPACE, over: 'release' };

/** What one signature is worth. */
export type SignatureVerdict =
  | { readonly verdict: 'trusted'; readonly signer: Signer }
  /** Good, by a trusted key whose time is over or has not come. */
  | { readonly verdict: 'expired'; readonly signer: Signer; readonly why: string }
  | { readonly verdict: 'unknown-key'; readonly fingerprint: string }
  /** A kind of key that this version can't check: worth nothing, but no sign of a change either. */
  | { readonly verdict: 'unsupported'; readonly fingerprint: string }
  | { readonly verdict: 'wrong'; readonly why: string };

/**
 * Judges one signature over the bytes of a release manifest, or of something else that is signed for another purpose; only
 * releases are signed by cosign. A SSHSIG is checked with the key it names before anyone asks
 * whether that key is trusted, so `unknown-key` is a good signature by a stranger. A sigstore bundle carries no key: with
 * none that fits, nothing but its digest can be said about it.
 */
export function checkSignature(
  rootBytes: Uint8Array,
  armored: string,
  trusted: readonly PublicKey[],
  now: Date = new Date(),
  purpose: Purpose = RELEASE,
): SignatureVerdict {
  return signatureKind(armored) === 'sshsig' || purpose !== RELEASE
    ? checkSshsig(rootBytes, armored, trusted, now, purpose)
    : checkSigstore(rootBytes, armored, trusted, now);
}

function checkSshsig(
  rootBytes: Uint8Array,
  armored: string,
  trusted: readonly PublicKey[],
  now: Date,
  { namespace, over }: Purpose,
): SignatureVerdict {
  let fingerprint = '';
  try {
    const parsed = dearmor(armored);
    fingerprint = fingerprintOf({ blob: parsed.publicKey });
    if (parsed.namespace !== namespace)
      return { verdict: 'wrong', why: `${fingerprint} signed for “${parsed.namespace}”, not for “${namespace}”` };
    const data = signedData(rootBytes, parsed.namespace, parsed.hash);
    if (!verifyWith({ blob: parsed.publicKey }, parsed.algorithm, data, parsed.signature)) {
      return { verdict: 'wrong', why: `the signature by ${fingerprint} is not over this ${over}` };
    }
    const fitting = trusted.filter(({ blob }) => blob.equals(parsed.publicKey));
    return fitting.length === 0 ? { verdict: 'unknown-key', fingerprint } : inTime(fitting, now);
  } catch (error) {
    if (isDeliverError(error, 'E_NOT_YET')) return { verdict: 'unsupported', fingerprint };
    return { verdict: 'wrong', why: messageOf(error) };
  }
}

function checkSigstore(rootBytes: Uint8Array, text: string, trusted: readonly PublicKey[], now: Date): SignatureVerdict {
  try {
    const parsed = parseSigstore(text);
    if (!isOver(parsed, rootBytes)) return { verdict: 'wrong', why: 'the sigstore signature is not over this release' };
    const fitting = trusted.filter((key) => isBy(key, rootBytes, parsed.signature));
    const hint = parsed.hint === '' ? 'a cosign key without a hint' : `the cosign key ${parsed.hint}`;
    return fitting.length === 0 ? { verdict: 'unknown-key', fingerprint: hint } : inTime(fitting, now);
  } catch (error) {
    if (isDeliverError(error, 'E_NOT_YET')) return { verdict: 'unsupported', fingerprint: 'a sigstore bundle without a key' };
    return { verdict: 'wrong', why: messageOf(error) };
  }
}

function isBy(key: PublicKey, message: Uint8Array, signature: Buffer): boolean {
  try {
    return verifyMessage(key, message, signature);
  } catch (error) {
    // A trusted key of a kind that cosign has not: it did not sign this.
    if (isDeliverError(error, 'E_NOT_YET')) return false;
    throw error;
  }
}

/** A key may be listed with several periods: one that holds now is enough. */
function inTime(keys: readonly PublicKey[], now: Date): SignatureVerdict {
  const [first] = keys;
  const valid = keys.find(({ validAfter, validBefore }) => isBetween(now.getTime(), validAfter, validBefore));
  const key = valid ?? first;
  if (key === undefined) return { verdict: 'wrong', why: 'it is by no key' };
  const signer = { name: key.name, fingerprint: fingerprintOf(key) };
  if (valid !== undefined) return { verdict: 'trusted', signer };
  const isEarly = key.validAfter !== undefined && now.getTime() < key.validAfter;
  const limit = new Date((isEarly ? key.validAfter : key.validBefore) ?? 0).toISOString();
  const why = `${isEarly ? 'not valid before' : 'expired at'} ${limit} by the clock of this machine, which says ${now.toISOString()}`;
  return { verdict: 'expired', signer, why: `${`${signer.name} (${signer.fingerprint})`.trim()} is ${why}` };
}

function isBetween(now: number, after = -Infinity, before = Infinity): boolean {
  return now >= after && now <= before;
}
