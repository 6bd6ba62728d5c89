import { z } from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { isDigest } from '../core/digest.ts';
import { isIndexType, platformText } from '../core/oci.ts';
import type { LockedBlob, LockedImage } from '../lock/lock-schema.ts';

/** A layer of an image, lowest first. */
export interface ImageLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** The build step that made it, from the image's history. */
  readonly madeBy?: string;
}

/** What runs on one platform: one manifest of an image. */
export interface ImagePart {
  readonly digest: Digest;
  readonly platform?: string;
  readonly layers: readonly ImageLayer[];
  /** `org.opencontainers.image.*` labels that say where it is from, and its licence as its author names it. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A signature, provenance or bill of materials that travels with an image. */
export interface Attestation {
  readonly kind: 'attestation' | 'bom' | 'signature' | 'other';
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** What the statement is about, where its descriptor says so. */
  readonly predicateType?: string;
}

export interface ImageParts {
  readonly parts: readonly ImagePart[];
  readonly attestations: readonly Attestation[];
}

const Annotations = z.record(z.string(), z.string()).optional().catch(undefined);
const DescriptorField = z.object({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
  size: z.int().min(0),
  annotations: Annotations,
});
const ManifestField = z.object({
  artifactType: z.string().optional(),
  config: DescriptorField.optional(),
  layers: z.array(DescriptorField).default([]),
});
const ConfigField = z.object({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
  history: z.array(z.object({ created_by: z.string().optional(), empty_layer: z.boolean().optional() })).nullish(),
});
type Manifest = z.infer<typeof ManifestField>;
type Config = z.infer<typeof ConfigField>;

const LABELS = ['licenses', 'version', 'revision', 'source', 'url', 'vendor'].map((name) => `org.opencontainers.image.${name}`);
/** Bytes of a manifest or config that is looked into. */
const MAX_JSON = 8 * 1024 * 1024;

/** What an image is made of, from its manifests and configs. @throws DeliverError E_DIGEST when they are damaged */
export async function readImageParts(bundle: Pick<Bundle, 'bytes' | 'blobs'>, image: LockedImage): Promise<ImageParts> {
  const manifests = isIndexType(image.mediaType) ? (image.manifests ?? []) : [image, ...(image.manifests ?? [])];
  const parts: ImagePart[] = [];
  const attestations: Attestation[] = [];
  for (const locked of manifests) {
    const manifest = await readJson(bundle, locked.digest, ManifestField);
    if (manifest === undefined || isIndexType(locked.mediaType)) continue;
    const found = attestationsIn(manifest, locked);
    if (found.length > 0) attestations.push(...found);
    else parts.push(await partOf(bundle, locked, manifest));
  }
  return { parts, attestations };
}

async function partOf(bundle: Pick<Bundle, 'bytes' | 'blobs'>, locked: LockedBlob, manifest: Manifest): Promise<ImagePart> {
  const config = manifest.config === undefined ? undefined : await readJson(bundle, manifest.config.digest, ConfigField);
  const steps = (config?.history ?? []).filter((step) => step.empty_layer !== true);
  const layers = manifest.layers.map(({ digest, size, mediaType }, at) => {
    // A history that is not about these layers would name the wrong step.
    const madeBy = steps.length === manifest.layers.length ? steps[at]?.created_by : undefined;
    return { digest, size, mediaType, ...(madeBy === undefined ? {} : { madeBy: madeBy.slice(0, 300) }) };
  });
  const platform = locked.platform ?? platformOf(config);
  const labels = Object.entries(config?.config?.Labels ?? {}).filter(([name]) => LABELS.includes(name));
  return {
    digest: locked.digest,
    ...(platform === undefined ? {} : { platform }),
    layers,
    labels: Object.fromEntries(labels.map(([name, value]) => [name, value.slice(0, 300)])),
  };
}

function platformOf(config: Config | undefined): string | undefined {
  const { os, architecture, variant } = config ?? {};
  return os === undefined || architecture === undefined ? undefined : platformText({ os, architecture, variant });
}

function attestationsIn(manifest: Manifest, { digest, size }: LockedBlob): readonly Attestation[] {
  const found = manifest.layers.flatMap((layer) => {
    const kind = kindOf(layer.mediaType);
    if (kind === undefined) return [];
    const predicateType = layer.annotations?.['in-toto.io/predicate-type'];
    const { mediaType } = layer;
    const said = predicateType === undefined ? {} : { predicateType };
    return [{ kind: bomOr(kind, predicateType), digest: layer.digest, size: layer.size, mediaType, ...said }];
  });
  if (found.length > 0 || manifest.artifactType === undefined) return found;
  return [{ kind: kindOf(manifest.artifactType) ?? 'other', digest, size, mediaType: manifest.artifactType }];
}

function bomOr(kind: Attestation['kind'], predicateType: string | undefined): Attestation['kind'] {
  return predicateType !== undefined && /spdx|cyclonedx/i.test(predicateType) ? 'bom' : kind;
}

function kindOf(mediaType: string): Attestation['kind'] | undefined {
  if (/spdx|cyclonedx/i.test(mediaType)) return 'bom';
  if (/in-toto|dsse/i.test(mediaType)) return 'attestation';
  return /simplesigning|sigstore|notary/i.test(mediaType) ? 'signature' : undefined;
}

async function readJson<T>(
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
