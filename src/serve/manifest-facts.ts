import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import { isIndexType, type Descriptor } from '../core/oci.ts';

/** What a manifest says about itself and what it needs. */
export interface ManifestFacts {
  /** The manifest that it is about. */
  readonly subject?: Digest;
  /** Itself, as a list of referrers shows it. */
  readonly descriptor: Descriptor;
  readonly children: readonly Digest[];
  readonly blobs: readonly Digest[];
}

const Part = z.looseObject({
  mediaType: z.string().optional(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
});
/** What can't be read is left out: a manifest that another registry took is served as it is. */
const Manifest = z.looseObject({
  artifactType: z.string().min(1).optional().catch(undefined),
  subject: Part.optional().catch(undefined),
  config: Part.optional().catch(undefined),
  layers: z.array(Part).catch([]),
  manifests: z.array(Part).catch([]),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
});

/** Reads a manifest for the referrers API (distribution-spec, listing referrers). @returns undefined when it is not JSON */
export function manifestFacts(
  bytes: Uint8Array,
  plain: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>,
): ManifestFacts | undefined {
  const parsed = Manifest.safeParse(jsonOf(bytes));
  if (!parsed.success) return undefined;
  const { subject, config, layers, manifests, annotations } = parsed.data;
  const artifactType = parsed.data.artifactType ?? (isIndexType(plain.mediaType) ? undefined : config?.mediaType);
  return {
    ...(subject === undefined ? {} : { subject: subject.digest }),
    descriptor: {
      mediaType: plain.mediaType,
      digest: plain.digest,
      size: plain.size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    children: manifests.map(({ digest }) => digest),
    blobs: [...(config === undefined ? [] : [config]), ...layers].map(({ digest }) => digest),
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
