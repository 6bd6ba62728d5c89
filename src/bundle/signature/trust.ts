import { countText } from '../../core/amounts.ts';
import { DeliverError } from '../../core/errors.ts';
import type { Bundle } from '../bundle.ts';
import { checkSignature, type Purpose, type SignatureVerdict, type Signer } from './check-signature.ts';
import type { TrustPolicy } from './load-trusted-keys.ts';
import { fingerprintOf } from './public-key.ts';

export interface Trust {
  /** Each trusted key that signed, once; fewer than the policy wants only where `allowUnsigned` was given. */
  readonly signers: readonly Signer[];
  /** What was accepted although the policy does not allow it, the same text every time; absent when the policy was met. */
  readonly accepted?: string;
}

/**
 * Decides whether a bundle may be used: good signatures by as many trusted keys as the policy wants, and none that is wrong.
 * @throws DeliverError E_UNSIGNED, E_UNTRUSTED, E_EXPIRED (all waived by `allowUnsigned`), E_SIGNATURE (never waived: a
 * wrong signature means that something was changed)
 */
export function judgeTrust(
  bundle: Pick<Bundle, 'path' | 'rootBytes' | 'signatures'>,
  policy: TrustPolicy,
  options: { readonly allowUnsigned?: boolean; readonly now?: Date; readonly purpose?: Purpose } = {},
): Trust {
  const { now, purpose } = options;
  const verdicts = bundle.signatures.map(({ armored }) => checkSignature(bundle.rootBytes, armored, policy.keys, now, purpose));
  const wrong = verdicts.flatMap((verdict) => (verdict.verdict === 'wrong' ? [verdict.why] : []));
  if (wrong.length > 0) {
    throw new DeliverError('E_SIGNATURE', {
      what: `A signature of ${bundle.path} is wrong.`,
      why: wrong[0] ?? '',
      fix: 'Do not use this bundle. Copy it again, and compare the root digest with the packager.',
      ...(wrong.length > 1 ? { details: wrong } : {}),
    });
  }
  const signers = distinct(verdicts.flatMap((verdict) => (verdict.verdict === 'trusted' ? [verdict.signer] : [])));
  if (signers.length >= policy.threshold) return { signers };
  if (options.allowUnsigned !== true) throw refusalOf(bundle.path, verdicts, signers, policy);
  return { signers, accepted: acceptedText(verdicts, policy) };
}

function acceptedText(verdicts: readonly SignatureVerdict[], { threshold }: TrustPolicy): string {
  if (verdicts.length === 0) return 'not signed';
  const by = verdicts.map((verdict) => {
    if (verdict.verdict === 'expired') return `${signerText(verdict.signer)} outside its time limits`;
    if (verdict.verdict === 'trusted') return signerText(verdict.signer);
    return verdict.verdict === 'wrong' ? verdict.why : `${verdict.fingerprint}, not trusted`;
  });
  return `signed by ${by.join('; ')}${threshold === 1 ? '' : `; ${String(threshold)} trusted keys are needed`}`;
}

/** `release@corp (SHA256:…)`, or the fingerprint alone. */
export function signerText({ name, fingerprint }: Signer): string {
  return name === '' ? fingerprint : `${name} (${fingerprint})`;
}

function refusalOf(
  path: string,
  verdicts: readonly SignatureVerdict[],
  signers: readonly Signer[],
  policy: TrustPolicy,
): DeliverError {
  if (verdicts.length === 0) return unsigned(path);
  const expired = verdicts.flatMap((verdict) => (verdict.verdict === 'expired' ? [verdict] : []));
  const inAll = distinct([...signers, ...expired.map(({ signer }) => signer)]);
  if (expired.length > 0 && inAll.length >= policy.threshold)
    return late(
      path,
      expired.map(({ why }) => why),
    );
  const strangers = verdicts.flatMap((verdict) => ('fingerprint' in verdict ? [verdict.fingerprint] : []));
  return untrusted(path, { strangers, signers, expired: expired.map(({ why }) => why) }, policy);
}

function distinct(signers: readonly Signer[]): readonly Signer[] {
  return [...new Map(signers.map((signer) => [signer.fingerprint, signer])).values()];
}

function unsigned(path: string): DeliverError {
  return new DeliverError('E_UNSIGNED', {
    what: `${path} is not signed.`,
    fix: 'Pack it with --sign-key, or accept it as it is with --allow-unsigned.',
  });
}

function late(path: string, expired: readonly string[]): DeliverError {
  return new DeliverError('E_EXPIRED', {
    what: `${path} is signed and its signature is good, but the key is outside its time limits.`,
    why: `${expired.join('; ')}.`,
    fix: 'Compare the clock of this machine with a true one (date -u). If it is right, ask for a signature by a current key.',
  });
}

function untrusted(
  path: string,
  found: { readonly strangers: readonly string[]; readonly signers: readonly Signer[]; readonly expired: readonly string[] },
  { keys, threshold }: TrustPolicy,
): DeliverError {
  const known = keys.map((key) => signerText({ name: key.name, fingerprint: fingerprintOf(key) }));
  const { strangers, signers, expired } = found;
  const enough = threshold === 1 ? 'by no key that is trusted here' : `not by ${String(threshold)} keys that are trusted here`;
  const by = [
    ...(signers.length === 0 ? [] : [`By ${countText(signers.length, 'trusted key')}: ${signers.map(signerText).join(', ')}`]),
    ...(strangers.length === 0 ? [] : [`Signed by ${strangers.join(', ')}`]),
    ...expired,
    `trusted: ${known.length === 0 ? 'no key at all' : known.join(', ')}`,
  ];
  return new DeliverError('E_UNTRUSTED', {
    what: `${path} is signed, but ${enough}.`,
    why: `${by.join('; ')}.`,
    fix: 'Compare the fingerprint with the packager; then give the key with --trust KEY.pub or under trust: in the site file.',
  });
}
