import type { Bundle } from '../bundle/bundle.ts';
import { bytesText } from '../core/amounts.ts';
import { hexOf, type Digest } from '../core/digest.ts';
import { isManifestType } from '../core/oci.ts';
import type { LockedImage } from '../lock/lock-schema.ts';
import { MOST_PAYLOAD, readPayload, type Payload } from './attestation-payload.ts';
import type { Attestation } from './attestations.ts';

/** The same attestations of an image, with what they say. @throws DeliverError E_DIGEST when one is damaged */
export async function readAttestations(
  bundle: Pick<Bundle, 'bytes' | 'blobs'>,
  image: Pick<LockedImage, 'digest' | 'manifests'>,
  attestations: readonly Attestation[],
): Promise<readonly Attestation[]> {
  const digests = new Set([image.digest, ...(image.manifests ?? []).map(({ digest }) => digest)].map(hexOf));
  const read: Attestation[] = [];
  for (const one of attestations) {
    const payload = await payloadOf(bundle, one.digest, one.mediaType);
    const foreign = payload?.subjects !== undefined && !payload.subjects.some((subject) => digests.has(subject));
    read.push({ ...one, ...(payload === undefined ? {} : { payload: foreign ? withoutBom(payload) : payload }) });
  }
  return read;
}

/** Undefined for what is no statement: a manifest of several layers, a signature over nothing but a digest. */
async function payloadOf(bundle: Pick<Bundle, 'bytes' | 'blobs'>, digest: Digest, type: string): Promise<Payload | undefined> {
  const blob = bundle.blobs.get(digest);
  if (blob === undefined) return { problem: 'it is left out of this delta' };
  if (isManifestType(blob.mediaType) || !/json|in-toto|dsse|spdx|cyclonedx|sigstore/i.test(type) || /simplesigning/i.test(type))
    return undefined;
  if (blob.size <= MOST_PAYLOAD) return readPayload(await bundle.bytes(digest));
  return { problem: `it has ${bytesText(blob.size)}, and documents above 4 MiB are listed, not read` };
}

function withoutBom({ signed, predicateType, subjects }: Payload): Payload {
  return {
    ...(signed === undefined ? {} : { signed }),
    ...(predicateType === undefined ? {} : { predicateType }),
    ...(subjects === undefined ? {} : { subjects }),
    problem: 'its statement is about something else than this image',
  };
}
