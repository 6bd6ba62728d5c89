import { canonicalJson, type Json } from '../../src/core/canonical-json.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { EMPTY_BLOB, MEDIA, platformText } from '../../src/core/oci.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import { isForNoMachine } from '../../src/lock/platform.ts';
import type { TestRelease } from './bundles.ts';
import type { BuiltImage, BuiltManifest } from './images.ts';

export interface NamedImage {
  readonly reference: string;
  readonly image: BuiltImage;
}

/** A release of images as they were built: indexes with their platforms, artifacts, referrers. */
export function releaseOf(images: readonly NamedImage[], version = '1.0'): TestRelease {
  const content = new Map<Digest, Uint8Array>();
  for (const { image } of images) {
    for (const { descriptor, bytes } of image.manifests) content.set(descriptor.digest, bytes);
    for (const [digest, bytes] of image.blobs) content.set(digest, bytes);
  }
  const metadata = { name: 'suite', version };
  const platforms = ['linux/amd64'];
  const lock = LockSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Lock',
    metadata,
    platforms,
    files: [],
    charts: [],
    images: images.map(({ reference, image }) => {
      const children = image.manifests.slice(0, -1).map(locked);
      return {
        reference,
        ...locked(image),
        ...(children.length === 0 ? {} : { manifests: children }),
        blobs: [...image.blobs].map(([digest, { byteLength }]) => ({ digest, size: byteLength, mediaType: MEDIA.octets })),
        neededBy: ['images[0]'],
      };
    }),
    release: { apiVersion: 'deliver/v1', kind: 'Release', metadata, platforms },
  });
  return { lock, content };
}

export interface ArtifactSpec {
  readonly subject?: { readonly digest: Digest; readonly size: number };
  readonly artifactType?: string;
  /** Type of a config of its own; the empty one when absent. */
  readonly configType?: string;
  readonly layers?: readonly {
    readonly mediaType: string;
    readonly bytes: Uint8Array;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An artifact, or what refers to a manifest (image-spec, manifest.md). */
export function artifactAbout({ subject, artifactType, configType, layers = [], annotations }: ArtifactSpec): BuiltImage {
  const empty = Buffer.from('{}');
  const blobs = new Map<Digest, Uint8Array>([[EMPTY_BLOB.digest, empty]]);
  for (const { bytes } of layers) blobs.set(digestOf(bytes), bytes);
  const { digest, size } = EMPTY_BLOB;
  const parts = layers.map(({ mediaType, bytes, annotations: notes }) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
    ...(notes === undefined ? {} : { annotations: notes }),
  }));
  const fields = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: configType ?? MEDIA.empty, digest, size },
    layers: parts.length === 0 ? [{ mediaType: MEDIA.empty, digest, size }] : parts,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject: { mediaType: MEDIA.manifest, ...subject } }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const bytes = Buffer.from(canonicalJson(fields as Json));
  const built = { descriptor: { mediaType: MEDIA.manifest, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
  return { ...built, blobs, manifests: [built] };
}

function locked({ descriptor }: BuiltManifest): Readonly<Record<string, string | number>> {
  const { mediaType, digest, size, platform } = descriptor;
  const known = platform === undefined || isForNoMachine(platform) ? {} : { platform: platformText(platform) };
  return { mediaType, digest, size, ...known };
}
