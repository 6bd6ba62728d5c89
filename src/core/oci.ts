import type { Digest } from './digest.ts';

/** Media types of OCI image-spec 1.1, Docker schema 2, Helm and deliver itself. */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  helmConfig: 'application/vnd.cncf.helm.config.v1+json',
  helmChart: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  release: 'application/vnd.deliver.release.v1+json',
  lock: 'application/vnd.deliver.lock.v1+json',
  file: 'application/vnd.deliver.file.v1',
  sshsig: 'application/vnd.deliver.signature.sshsig.v1',
  contents: 'application/vnd.deliver.contents.v1+text',
  sigstore: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  octets: 'application/octet-stream',
} as const;

/** Annotation keys that deliver reads or writes. */
export const ANNOTATION = {
  refName: 'org.opencontainers.image.ref.name',
  title: 'org.opencontainers.image.title',
  containerdName: 'io.containerd.image.name',
} as const;

/** What every manifest request accepts; registries answer 404 to a type that is not listed. */
export const MANIFEST_TYPES: readonly string[] = [MEDIA.index, MEDIA.manifest, MEDIA.dockerList, MEDIA.dockerManifest];

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** OCI image-spec descriptor.md; only what deliver needs. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The content itself, base64 (for small blobs that deliver makes). */
  readonly data?: string | undefined;
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA.index || mediaType === MEDIA.dockerList;
}

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.includes(mediaType);
}

/** `linux/amd64`, `linux/arm64/v8`. */
export function platformText(platform: Platform): string {
  return [platform.os, platform.architecture, ...(platform.variant === undefined ? [] : [platform.variant])].join('/');
}

/** The two bytes that an artifact without a config points to (image-spec manifest.md, “empty descriptor”). */
export const EMPTY_BLOB: Descriptor = {
  mediaType: MEDIA.empty,
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' as Digest,
  size: 2,
  data: 'e30=',
};
