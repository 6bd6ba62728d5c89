import { z } from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { isDigest } from '../core/digest.ts';
import { isManifestType } from '../core/oci.ts';

const DigestField = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const DescriptorField = z.object({
  mediaType: z.string(),
  digest: DigestField,
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
});
const ManifestField = z.object({
  artifactType: z.string().optional().catch(undefined),
  config: DescriptorField.optional().catch(undefined),
  layers: z.array(DescriptorField).catch([]),
  manifests: z.array(DescriptorField).catch([]),
  subject: z.object({ digest: DigestField }).optional().catch(undefined),
});

/** What is looked at of a manifest or index. */
export type Manifest = z.infer<typeof ManifestField>;

/** Bytes of a manifest or config that is looked into. */
const MAX_JSON = 8 * 1024 * 1024;

/** Every manifest and index that a bundle holds, by digest. @throws DeliverError E_DIGEST when one is damaged */
export async function readManifests(bundle: Pick<Bundle, 'bytes' | 'blobs'>): Promise<ReadonlyMap<Digest, Manifest>> {
  const manifests = new Map<Digest, Manifest>();
  for (const [digest, { mediaType }] of bundle.blobs) {
    if (!isManifestType(mediaType)) continue;
    const manifest = await readJson(bundle, digest, ManifestField);
    if (manifest !== undefined) manifests.set(digest, manifest);
  }
  return manifests;
}

/** A small JSON blob; undefined when it is not here, too big, or not what it should be. @throws DeliverError E_DIGEST */
export async function readJson<T>(
  bundle: Pick<Bundle, 'bytes' | 'blobs'>,
  digest: Digest,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const size = bundle.blobs.get(digest)?.size;
  if (size === undefined || size > MAX_JSON) return undefined;
  const bytes = await bundle.bytes(digest);
  try {
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
