import { fingerprintOf, verifyWith, type PublicKey } from '../bundle/public-key.ts';
import type { SigningKey } from '../bundle/sign.ts';
import { armor, dearmor, signedData } from '../bundle/sshsig.ts';
import { DeliverError, isDeliverError, messageOf } from '../core/errors.ts';
import { signedBytes, type CarryManifest } from './manifest.ts';

/** Another namespace than a bundle's, so that neither signature can stand for the other. */
const NAMESPACE = 'deliver-carry';

/** Who vouches for a carry manifest. */
export type CarryTrust =
  | { readonly state: 'trusted'; readonly name: string; readonly fingerprint: string }
  /** Well signed, by keys that nobody here named. */
  | { readonly state: 'stranger'; readonly fingerprints: readonly string[] }
  | { readonly state: 'unsigned' };

/** The same manifest with a signature by this key, as `ssh-keygen -Y sign -n deliver-carry` would make it. */
export function signCarry(carry: CarryManifest, key: SigningKey): CarryManifest {
  const signature = key.sign(signedData(signedBytes(carry), NAMESPACE, 'sha512'));
  const parts = { publicKey: key.publicKey, namespace: NAMESPACE, hash: 'sha512' as const, algorithm: 'ssh-ed25519' };
  return { ...carry, signatures: [...carry.signatures, armor({ ...parts, signature })] };
}

/** @throws DeliverError E_SIGNATURE when a signature is not over this manifest */
export function judgeCarry(carry: CarryManifest, trusted: readonly PublicKey[], path: string): CarryTrust {
  const now = Date.now();
  const signers = carry.signatures.map((armored) => signerOf(signedBytes(carry), armored, path));
  for (const blob of signers) {
    const key = trusted.find((candidate) => candidate.blob.equals(blob) && isValid(candidate, now));
    if (key !== undefined) return { state: 'trusted', name: key.name, fingerprint: fingerprintOf(key) };
  }
  if (signers.length === 0) return { state: 'unsigned' };
  return { state: 'stranger', fingerprints: signers.map((blob) => fingerprintOf({ blob })) };
}

function isValid({ validAfter = -Infinity, validBefore = Infinity }: PublicKey, now: number): boolean {
  return validAfter <= now && now < validBefore;
}

/** The key of a good signature, trusted or not. */
function signerOf(bytes: Uint8Array, armored: string, path: string): Buffer {
  let why: string;
  try {
    const { publicKey, namespace, hash, algorithm, signature } = dearmor(armored);
    const good =
      namespace === NAMESPACE && verifyWith({ blob: publicKey }, algorithm, signedData(bytes, namespace, hash), signature);
    if (good) return publicKey;
    why = `the signature by ${fingerprintOf({ blob: publicKey })} is not over this carry manifest`;
  } catch (error) {
    if (isDeliverError(error)) throw error;
    why = messageOf(error);
  }
  throw new DeliverError('E_SIGNATURE', {
    what: `A signature of the carry manifest in ${path} is wrong.`,
    why,
    fix: 'Do not use this carry set. Copy it again, and compare the carry id with the packager.',
  });
}
