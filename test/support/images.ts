import { createCipheriv, createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../src/core/canonical-json.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { MEDIA, type Descriptor, type Platform } from '../../src/core/oci.ts';

export interface BuiltManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** An image or index with everything below it, in memory. */
export interface BuiltImage extends BuiltManifest {
  /** Configs and layers by digest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** Every manifest, children first, this one last. */
  readonly manifests: readonly BuiltManifest[];
}

export interface ImageSpec {
  /** linux/amd64 when absent. */
  readonly platform?: Platform;
  /** Bytes, or a size for bytes that can't be compressed; one layer of 1000 bytes when absent. */
  readonly layers?: readonly (number | Uint8Array)[];
  /** Another seed, other bytes; the same seed, the same digests. */
  readonly seed?: string;
  readonly docker?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Put into every layer's descriptor, for hostile manifests. */
  readonly layerFields?: Readonly<Record<string, Json>>;
}

const LINUX: Platform = { os: 'linux', architecture: 'amd64' };

/** An image with deterministic content. */
export function buildImage(spec: ImageSpec = {}): BuiltImage {
  const { platform = LINUX, layers = [1000], seed = 'image', docker = false } = spec;
  const contents = layers.map((layer, at) => (typeof layer === 'number' ? noise(layer, `${seed}/${at}`) : layer));
  const config = Buffer.from(
    canonicalJson({
      ...(platform as unknown as Record<string, string>),
      config: {},
      rootfs: { type: 'layers', diff_ids: contents.map(digestOf) },
    }),
  );
  const blobs = new Map<Digest, Uint8Array>([config, ...contents].map((bytes) => [digestOf(bytes), bytes]));
  const layerType = docker ? 'application/vnd.docker.image.rootfs.diff.tar.gzip' : 'application/vnd.oci.image.layer.v1.tar+gzip';
  const manifest = manifestOf(docker ? MEDIA.dockerManifest : MEDIA.manifest, {
    config: entry(docker ? 'application/vnd.docker.container.image.v1+json' : MEDIA.config, config),
    layers: contents.map((bytes) => ({ ...entry(layerType, bytes), ...spec.layerFields })),
    ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
  });
  const built = { ...manifest, descriptor: { ...manifest.descriptor, platform } };
  return { ...built, blobs, manifests: [built] };
}

/** An index over images, in this order. */
export function buildIndex(children: readonly BuiltImage[], options: { readonly docker?: boolean } = {}): BuiltImage {
  const built = manifestOf(options.docker === true ? MEDIA.dockerList : MEDIA.index, {
    manifests: children.map(({ descriptor }) => descriptor as unknown as Json),
  });
  return {
    ...built,
    blobs: new Map(children.flatMap((child) => [...child.blobs])),
    manifests: [...children.flatMap((child) => child.manifests), built],
  };
}

/** The same image with annotations on the descriptor that an index has of it. */
export function withAnnotations(image: BuiltImage, annotations: Readonly<Record<string, string>>): BuiltImage {
  const platform: Platform = { os: 'unknown', architecture: 'unknown' };
  const descriptor = { ...image.descriptor, platform, annotations };
  return {
    ...image,
    descriptor,
    manifests: image.manifests.map((one) => ({ ...one, descriptor: { ...one.descriptor, platform } })),
  };
}

/** What BuildKit puts beside an image: platform unknown/unknown. @param about the manifest that it names as its own */
export function buildAttestation(seed = 'attestation', about?: BuiltImage): BuiltImage {
  const built = buildImage({ platform: { os: 'unknown', architecture: 'unknown' }, layers: [200], seed });
  if (about === undefined) return built;
  const annotations = {
    'vnd.docker.reference.digest': about.descriptor.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  const descriptor = { ...built.descriptor, annotations };
  return { ...built, descriptor, manifests: [{ ...built, descriptor }] };
}

/** A signature or the like, with a subject (image-spec manifest.md); without one, as cosign keeps it under a tag. */
export function buildReferrer(artifactType: string, subject?: BuiltManifest, seed = artifactType): BuiltImage {
  const [empty, content] = [Buffer.from('{}'), noise(300, seed)];
  const built = manifestOf(MEDIA.manifest, {
    artifactType,
    config: entry(MEDIA.empty, empty),
    layers: [entry('application/octet-stream', content)],
    ...(subject === undefined ? {} : { subject: plainEntry(subject.descriptor) }),
    annotations: { made: seed },
  });
  const blobs = new Map<Digest, Uint8Array>([empty, content].map((bytes) => [digestOf(bytes), bytes]));
  return { ...built, blobs, manifests: [built] };
}

/** Deterministic bytes that can't be compressed. */
export function noise(size: number, seed: string): Uint8Array {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

function manifestOf(mediaType: string, fields: Readonly<Record<string, Json>>): BuiltManifest {
  // Not canonical on purpose: bytes of a registry must survive as they are.
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }, undefined, 3));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
}

function plainEntry({ mediaType, digest, size }: Descriptor): Json {
  return { mediaType, digest, size };
}

function entry(mediaType: string, bytes: Uint8Array): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}
