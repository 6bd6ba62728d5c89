import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DeliverError, messageOf } from '../../core/errors.ts';
import { MEDIA } from '../../core/oci.ts';

const Base64 = z.base64();
/** sigstore/protobuf-specs, sigstore_bundle.proto, as JSON; what is not named here (log entries, timestamps) is not judged. */
const SigstoreSchema = z.looseObject({
  mediaType: z.literal(MEDIA.sigstore),
  verificationMaterial: z.looseObject({ publicKey: z.looseObject({ hint: z.string().optional() }) }),
  messageSignature: z.looseObject({
    messageDigest: z.looseObject({ algorithm: z.literal('SHA2_256'), digest: Base64 }),
    signature: Base64,
  }),
});

/** What of a sigstore bundle is checked: a signature by a key that the verifier holds. */
export interface Sigstore {
  /** sha256 of what was signed. */
  readonly digest: Buffer;
  readonly signature: Buffer;
  /** How cosign names the key: base64 of the sha256 of its DER form; may be empty. */
  readonly hint: string;
}

/**
 * Takes a sigstore bundle v0.3 apart (`cosign sign-blob --key … --bundle …`).
 * @throws DeliverError E_NOT_YET for certificates (keyless) and DSSE envelopes; RangeError when it is malformed
 */
export function parseSigstore(text: string): Sigstore {
  const json = parsed(text);
  const parts = z.looseObject({ verificationMaterial: z.looseObject({}).optional(), dsseEnvelope: z.unknown().optional() });
  const { data: kind } = parts.safeParse(json);
  if (kind?.dsseEnvelope !== undefined) throw notYet('a DSSE envelope (an attestation)');
  if (kind?.verificationMaterial !== undefined && !('publicKey' in kind.verificationMaterial))
    throw notYet('a certificate (keyless)');
  const { success, data, error } = SigstoreSchema.safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    throw new RangeError(`it is no sigstore bundle v0.3 with a key: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  const { messageDigest, signature } = data.messageSignature;
  return {
    digest: Buffer.from(messageDigest.digest, 'base64'),
    signature: Buffer.from(signature, 'base64'),
    hint: data.verificationMaterial.publicKey.hint ?? '',
  };
}

/** Whether the bundle says that it is over these bytes; its word alone proves nothing. */
export function isOver({ digest }: Sigstore, bytes: Uint8Array): boolean {
  return digest.equals(createHash('sha256').update(bytes).digest());
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError(`it is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

function notYet(what: string): DeliverError {
  return new DeliverError('E_NOT_YET', {
    what: `The sigstore bundle holds ${what}; only signatures by a key can be checked.`,
    fix: 'Sign with a key: cosign sign-blob --key cosign.key --bundle release.sigstore.json FILE',
  });
}
