import type { Manifest } from './manifest.ts';

const IMAGE_CONFIGS = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];
const HELM_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const COSIGN_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
const COSIGN_TAG = /^sha256-([0-9a-f]{64})\.sig$/;

const ACCESSORY_TYPES: Readonly<Record<string, string>> = {
  'application/vnd.dev.sigstore.bundle.v0.3+json': 'signature.cosign',
  'application/vnd.cncf.notary.signature': 'signature.notation',
  'application/vnd.goharbor.harbor.sbom.v1': 'sbom.harbor',
};

export interface Kind {
  type: string;
  mediaType: string;
  artifactType: string;
}

/** Harbor's label for an artifact: the captured part of `application/vnd.<x>.<TYPE>.config.<y>+json`, else UNKNOWN. */
export function kindOf(manifest: Manifest): Kind {
  const mediaType = manifest.config?.mediaType ?? manifest.mediaType;
  const artifactType = manifest.artifactType === '' ? mediaType : manifest.artifactType;
  if (manifest.isIndex) return { type: manifest.artifactType === '' ? 'IMAGE' : 'UNKNOWN', mediaType, artifactType };
  if (IMAGE_CONFIGS.includes(mediaType)) return { type: 'IMAGE', mediaType, artifactType };
  if (mediaType === HELM_CONFIG) return { type: 'CHART', mediaType, artifactType };
  const captured = /^application\/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$/.exec(mediaType)?.[1];
  return { type: captured?.toUpperCase() ?? 'UNKNOWN', mediaType, artifactType };
}

export interface AccessoryRole {
  subject: string;
  type: string;
}

/** A manifest with a subject, or one that bears cosign's old signature tag, hangs on another and is not listed by itself. */
export function accessoryRole(manifest: Manifest, tag: string | null): AccessoryRole | null {
  if (manifest.subject !== null) {
    const kind = kindOf(manifest);
    return { subject: manifest.subject.digest, type: ACCESSORY_TYPES[kind.artifactType] ?? 'subject.accessory' };
  }
  const signed = COSIGN_TAG.exec(tag ?? '')?.[1];
  const isSignature = manifest.layers.some((layer) => layer.mediaType === COSIGN_LAYER);
  return signed !== undefined && isSignature ? { subject: `sha256:${signed}`, type: 'signature.cosign' } : null;
}
