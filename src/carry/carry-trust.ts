import { checkSignature, type Purpose } from '../bundle/signature/check-signature.ts';
import type { TrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import type { RootSigner } from '../bundle/signature/sign.ts';
import { armor, signedData } from '../bundle/signature/sshsig.ts';
import { judgeTrust, type Trust } from '../bundle/signature/trust.ts';
import { isDeliverError } from '../core/errors.ts';
import { signedBytes, type CarryManifest } from './manifest.ts';

/** Another namespace than a bundle's, so that neither signature can stand for the other. */
const CARRY: Purpose = { namespace: 'deliver-carry', over: 'carry manifest' };

/** The same manifest with a signature by this key, as `ssh-keygen -Y sign -n deliver-carry` would make it. */
export async function signCarry(carry: CarryManifest, key: RootSigner): Promise<CarryManifest> {
  const signature = await key.sign(signedData(signedBytes(carry), CARRY.namespace, 'sha512'));
  const parts = { publicKey: key.publicKey, namespace: CARRY.namespace, hash: 'sha512' as const, algorithm: 'ssh-ed25519' };
  return { ...carry, signatures: [...carry.signatures, armor({ ...parts, signature })] };
}

/** Whether a good signature by this key is there already. */
export function isSignedBy(carry: CarryManifest, { publicKey }: Pick<RootSigner, 'publicKey'>): boolean {
  const key = { type: 'ssh-ed25519', blob: publicKey, name: '' };
  const bytes = signedBytes(carry);
  return carry.signatures.some((armored) => checkSignature(bytes, armored, [key], undefined, CARRY).verdict === 'trusted');
}

/**
 * Whether as many trusted keys as the policy wants vouch for a carry manifest; undefined when it is not signed: the
 * signatures of the bundle inside decide then, as they always do (decision 20).
 * @throws DeliverError E_UNTRUSTED, E_EXPIRED (waived by `allowUnsigned`), E_SIGNATURE
 */
export function judgeCarry(
  carry: CarryManifest,
  policy: TrustPolicy,
  folder: string,
  options: { readonly allowUnsigned?: boolean; readonly now?: Date } = {},
): Trust | undefined {
  if (carry.signatures.length === 0) return undefined;
  const signatures = carry.signatures.map((armored) => ({ armored }));
  try {
    const signed = { path: `the carry manifest in ${folder}`, rootBytes: signedBytes(carry), signatures };
    return judgeTrust(signed, policy, { ...options, purpose: CARRY });
  } catch (error) {
    if (!isDeliverError(error)) throw error;
    throw error.with({ what: error.facts.what.replace(/^the /, 'The '), fix: FIX[error.code] ?? error.facts.fix ?? '' });
  }
}

/** How many good signatures a manifest has, by whomever; none when one of them is wrong. */
export function goodSignatures(carry: CarryManifest): number {
  const bytes = signedBytes(carry);
  const verdicts = carry.signatures.map((armored) => checkSignature(bytes, armored, [], undefined, CARRY).verdict);
  return verdicts.includes('wrong') ? -1 : verdicts.length;
}

const FIX: Readonly<Record<string, string>> = {
  E_SIGNATURE: 'Do not use this carry set. Copy it again, and compare the carry id with the packager.',
  E_UNTRUSTED: [
    'Compare the fingerprints with the packager; then give the keys with --trust KEY.pub.',
    'Are there too few? Who has another key adds it to the carry set: deliver sign FOLDER --key KEY',
  ].join('\n'),
};
