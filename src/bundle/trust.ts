import { DeliverError, isDeliverError, messageOf } from '../core/errors.ts';
import type { Bundle } from './bundle.ts';
import { fingerprintOf, verifyWith, type PublicKey } from './public-key.ts';
import { dearmor, signedData, SSHSIG_NAMESPACE } from './sshsig.ts';

/** Who signed, by a key that the caller trusts. */
export interface Signer {
  /** Comment of the key or principal; empty when the key was given without one. */
  readonly name: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

/** What one signature is worth. */
export type SignatureVerdict =
  | { readonly verdict: 'trusted'; readonly signer: Signer }
  | { readonly verdict: 'unknown-key'; readonly fingerprint: string }
  /** A kind of key that this version can't check: worth nothing, but no sign of a change either. */
  | { readonly verdict: 'unsupported'; readonly fingerprint: string }
  | { readonly verdict: 'wrong'; readonly why: string };

export interface Trust {
  /** Empty only where `allowUnsigned` was given. */
  readonly signers: readonly Signer[];
}

/**
 * Judges one armored SSHSIG over the bytes of a release manifest. The signature is checked with the key it names before
 * anyone asks whether that key is trusted, so `unknown-key` is a good signature by a stranger.
 */
export function checkSignature(rootBytes: Uint8Array, armored: string, trusted: readonly PublicKey[]): SignatureVerdict {
  let fingerprint = '';
  try {
    const parsed = dearmor(armored);
    fingerprint = fingerprintOf({ blob: parsed.publicKey });
    if (parsed.namespace !== SSHSIG_NAMESPACE)
      return { verdict: 'wrong', why: `${fingerprint} signed for “${parsed.namespace}”, not for “${SSHSIG_NAMESPACE}”` };
    const data = signedData(rootBytes, parsed.namespace, parsed.hash);
    if (!verifyWith({ blob: parsed.publicKey }, parsed.algorithm, data, parsed.signature)) {
      return { verdict: 'wrong', why: `the signature by ${fingerprint} is not over this release` };
    }
    const key = trusted.find(({ blob }) => blob.equals(parsed.publicKey));
    return key === undefined
      ? { verdict: 'unknown-key', fingerprint }
      : { verdict: 'trusted', signer: { name: key.name, fingerprint } };
  } catch (error) {
    if (isDeliverError(error, 'E_NOT_YET')) return { verdict: 'unsupported', fingerprint };
    return { verdict: 'wrong', why: messageOf(error) };
  }
}

/**
 * Decides whether a bundle may be used: one good signature by a trusted key, and none that is wrong.
 * @throws DeliverError E_UNSIGNED, E_UNTRUSTED (both waived by `allowUnsigned`), E_SIGNATURE (never waived: a wrong
 * signature means that something was changed)
 */
export function judgeTrust(
  bundle: Pick<Bundle, 'path' | 'rootBytes' | 'signatures'>,
  trusted: readonly PublicKey[],
  options: { readonly allowUnsigned?: boolean } = {},
): Trust {
  const verdicts = bundle.signatures.map(({ armored }) => checkSignature(bundle.rootBytes, armored, trusted));
  const wrong = verdicts.flatMap((verdict) => (verdict.verdict === 'wrong' ? [verdict.why] : []));
  if (wrong.length > 0) {
    throw new DeliverError('E_SIGNATURE', {
      what: `A signature of ${bundle.path} is wrong.`,
      why: wrong[0] ?? '',
      fix: 'Do not use this bundle. Copy it again, and compare the root digest with the packager.',
      ...(wrong.length > 1 ? { details: wrong } : {}),
    });
  }
  const signers = verdicts.flatMap((verdict) => (verdict.verdict === 'trusted' ? [verdict.signer] : []));
  if (signers.length > 0 || options.allowUnsigned === true) return { signers };
  const strangers = verdicts.flatMap((verdict) => ('fingerprint' in verdict ? [verdict.fingerprint] : []));
  throw strangers.length === 0 ? unsigned(bundle.path) : untrusted(bundle.path, strangers, trusted);
}

function unsigned(path: string): DeliverError {
  return new DeliverError('E_UNSIGNED', {
    what: `${path} is not signed.`,
    fix: 'Pack it with --sign-key, or accept it as it is with --allow-unsigned.',
  });
}

function untrusted(path: string, strangers: readonly string[], trusted: readonly PublicKey[]): DeliverError {
  const known = trusted.map((key) => `${fingerprintOf(key)} ${key.name}`.trim());
  return new DeliverError('E_UNTRUSTED', {
    what: `${path} is signed, but by no key that is trusted here.`,
    why: `Signed by ${strangers.join(', ')}; trusted: ${known.length === 0 ? 'no key at all' : known.join(', ')}.`,
    fix: 'Compare the fingerprint with the packager; then give the key with --trust KEY.pub or under trust: in the site file.',
  });
}
