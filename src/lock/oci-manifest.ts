import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import { isIndexType, MEDIA } from '../core/oci.ts';

/** Fields that deliver does not use are left alone: the bytes are what is carried (image-spec, “unknown fields must be ignored”). */
const PlatformField = z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
const DescriptorField = z.looseObject({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest'),
  size: z.int().min(0),
  platform: PlatformField.optional(),
  urls: z.array(z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
});
const IndexField = z.looseObject({ manifests: z.array(DescriptorField) });
const ManifestField = z.looseObject({ config: DescriptorField, layers: z.array(DescriptorField) });

export type OciDescriptor = z.infer<typeof DescriptorField>;
export type OciIndex = z.infer<typeof IndexField>;
export type OciManifest = z.infer<typeof ManifestField>;

/** Only Docker's first format; containerd 2 can't run it any more. */
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+';
/** Types of layers that a registry need not hold (image-spec layer.md, “non-distributable”). */
const FOREIGN = /nondistributable|foreign/;

/** @param name the image, for messages. @throws DeliverError E_IMAGE_FORMAT */
export function parseIndex(bytes: Uint8Array, name: string): OciIndex {
  const index = parsed(IndexField, bytes, name);
  const nested = index.manifests.find((child) => isIndexType(child.mediaType));
  if (nested !== undefined) throw bad(name, `it is an index of indexes (${nested.digest}), which deliver can’t carry yet`);
  return index;
}

/** @param name the image, for messages. @throws DeliverError E_IMAGE_FORMAT */
export function parseManifest(mediaType: string, bytes: Uint8Array, name: string): OciManifest {
  if (mediaType.startsWith(SCHEMA_1))
    throw bad(name, 'it is in Docker’s schema 1, which containerd 2 refuses', 'Push it again with a current docker or skopeo.');
  if (mediaType !== MEDIA.manifest && mediaType !== MEDIA.dockerManifest) throw bad(name, `it is of type ${mediaType}`);
  const manifest = parsed(ManifestField, bytes, name);
  const foreign = manifest.layers.find((layer) => FOREIGN.test(layer.mediaType) || (layer.urls ?? []).length > 0);
  if (foreign === undefined) return manifest;
  throw bad(
    name,
    `its registry does not hold the layer ${foreign.digest} (${foreign.mediaType})`,
    'Take an image without foreign layers.',
  );
}

function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw bad(name, `its manifest is not JSON: ${messageOf(cause)}`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw bad(name, `its manifest is malformed (${issues.slice(0, 3).join('; ')})`);
}

function bad(name: string, why: string, fix?: string): DeliverError {
  return new DeliverError('E_IMAGE_FORMAT', {
    what: `${name} can’t be carried.`,
    why: `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}.`,
    ...(fix === undefined ? {} : { fix }),
  });
}
