import { fingerprintOf, verifyWith, type PublicKey } from '../bundle/signature/public-key.ts';
import type { RootSigner } from '../bundle/signature/sign.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { armor, dearmor, signedData } from '../bundle/signature/sshsig.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import { bodyBytes, signedBytes, type Receipt, type ReceiptBody } from './receipt.ts';

/** Another namespace than a bundle's: a site's key vouches for what is there, never for a release. */
const NAMESPACE = 'deliver-receipt';

/** The receipt of a site, as `ssh-keygen -Y sign -n deliver-receipt` would sign it. */
export async function signReceipt(body: ReceiptBody, key: RootSigner): Promise<Receipt> {
  const signature = await key.sign(signedData(bodyBytes(body), NAMESPACE, 'sha512'));
  const parts = { publicKey: key.publicKey, namespace: NAMESPACE, hash: 'sha512' as const, algorithm: 'ssh-ed25519' };
  return { ...body, signature: armor({ ...parts, signature }) };
}

/** SSH wire form of the key that signed a receipt, trusted or not. @throws DeliverError E_RECEIPT when the signature is wrong */
export function signingKeyOf(receipt: Receipt, path: string): Buffer {
  let why: string;
  try {
    const parts = dearmor(receipt.signature);
    const { publicKey, namespace, hash, algorithm, signature } = parts;
    const data = signedData(signedBytes(receipt), namespace, hash);
    // Written in one way only, or one receipt could have two ids.
    const isPlain = armor(parts) === receipt.signature;
    if (isPlain && namespace === NAMESPACE && verifyWith({ blob: publicKey }, algorithm, data, signature)) return publicKey;
    why = `The signature by ${fingerprintOf({ blob: publicKey })} is not over this receipt.`;
  } catch (error) {
    why = messageOf(error);
  }
  throw new DeliverError('E_RECEIPT', {
    what: `The signature of the receipt ${path} is wrong.`,
    why,
    fix: 'Do not use it: it was changed after the site signed it. Ask the site for it again.',
  });
}

/** Who signed. @throws DeliverError E_RECEIPT, E_UNTRUSTED, E_EXPIRED */
export function judgeReceipt(receipt: Receipt, trusted: readonly PublicKey[], path: string): Signer {
  const blob = signingKeyOf(receipt, path);
  const fitting = trusted.filter((key) => key.blob.equals(blob));
  const time = Date.parse(receipt.time);
  // By the time in the receipt: an old one stays good when its key has expired since, and a chain has keys of several times.
  const inTime = fitting.find(({ validAfter = -Infinity, validBefore = Infinity }) => validAfter <= time && time <= validBefore);
  if (inTime !== undefined) return { name: inTime.name, fingerprint: fingerprintOf(inTime) };
  const fingerprint = fingerprintOf({ blob });
  if (fitting.length > 0) {
    throw new DeliverError('E_EXPIRED', {
      what: `The receipt ${path} says ${receipt.time}, which is outside the time limits of its key ${fingerprint}.`,
      fix: 'Ask the site for a receipt by a current key.',
    });
  }
  throw new DeliverError('E_UNTRUSTED', {
    what: `The receipt ${path} is signed, but by no key that is trusted here.`,
    why: `Signed by ${fingerprint}.`,
    fix: 'Compare the fingerprint with the site; then give its key with --trust KEY.pub.',
  });
}
