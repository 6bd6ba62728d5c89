import { z } from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { isIndexType, platformText } from '../core/oci.ts';
import type { LockedBlob, LockedImage } from '../lock/lock-schema.ts';
import { isAttestation } from './attestations.ts';
import { readJson, type Manifest } from './manifests.ts';

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

/** Characters of what an author wrote. */
const MOST_TEXT = 300;

const ConfigField = z.object({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
  history: z.array(z.object({ created_by: z.string().optional(), empty_layer: z.boolean().optional() })).nullish(),
});
type Config = z.infer<typeof ConfigField>;

const LABELS = ['licenses', 'version', 'revision', 'source', 'url', 'vendor'].map((name) => `org.opencontainers.image.${name}`);
/** What an image is made of, from its manifests and configs. @throws DeliverError E_DIGEST when they are damaged */
export async function readImageParts(
  bundle: Pick<Bundle, 'bytes' | 'blobs'>,
  image: LockedImage,
  manifests: ReadonlyMap<Digest, Manifest>,
): Promise<readonly ImagePart[]> {
  const own = isIndexType(image.mediaType) ? (image.manifests ?? []) : [image, ...(image.manifests ?? [])];
  const parts: ImagePart[] = [];
  for (const locked of own) {
    const manifest = manifests.get(locked.digest);
    if (manifest === undefined || isIndexType(locked.mediaType) || isAttestation(manifest)) continue;
    parts.push(await partOf(bundle, locked, manifest));
  }
  return parts;
}

async function partOf(bundle: Pick<Bundle, 'bytes' | 'blobs'>, locked: LockedBlob, manifest: Manifest): Promise<ImagePart> {
  const config = manifest.config === undefined ? undefined : await readJson(bundle, manifest.config.digest, ConfigField);
  const steps = (config?.history ?? []).filter((step) => step.empty_layer !== true);
  const layers = manifest.layers.map(({ digest, size, mediaType }, at) => {
    // A history that is not about these layers would name the wrong step.
    const madeBy = steps.length === manifest.layers.length ? steps[at]?.created_by : undefined;
    return { digest, size, mediaType, ...(madeBy === undefined ? {} : { madeBy: madeBy.slice(0, MOST_TEXT).toWellFormed() }) };
  });
  const platform = locked.platform ?? platformOf(config);
  const labels = Object.entries(config?.config?.Labels ?? {}).filter(([name]) => LABELS.includes(name));
  return {
    digest: locked.digest,
    ...(platform === undefined ? {} : { platform }),
    layers,
    labels: Object.fromEntries(labels.map(([name, value]) => [name, value.slice(0, MOST_TEXT).toWellFormed()])),
  };
}

function platformOf(config: Config | undefined): string | undefined {
  const { os, architecture, variant } = config ?? {};
  return os === undefined || architecture === undefined ? undefined : platformText({ os, architecture, variant });
}
