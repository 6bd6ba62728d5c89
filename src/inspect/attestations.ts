import type { Digest } from '../core/digest.ts';
import type { Lock, LockedImage } from '../lock/lock-schema.ts';
import type { Payload } from './attestation-payload.ts';
import type { Manifest } from './manifests.ts';

export type AttestationKind = 'attestation' | 'bom' | 'signature' | 'other';

/** A signature, provenance or bill of materials that travels with an image. */
export interface Attestation {
  readonly kind: AttestationKind;
  /** Of the blob that says it. */
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** The manifest of an image, or the image, that it is about. */
  readonly about: Digest;
  /** What the statement is about, where its descriptor says so. */
  readonly predicateType?: string;
  /** What it says; absent when it was not looked into. */
  readonly payload?: Payload;
}

/** A build's own statements, beside the image in its index (BuildKit, “attestation storage”). */
const BUILDKIT_ABOUT = 'vnd.docker.reference.digest';
/** Where a statement's type stands on its descriptor: BuildKit, cosign. */
const PREDICATE = ['in-toto.io/predicate-type', 'predicateType', 'dev.sigstore.bundle.predicateType'];

/**
 * Whatever in a bundle is about an image, by the digest of that image or of its manifest for a platform: beside it in its
 * index, referring to it (image-spec, `subject`), or under the tag that cosign gives it.
 */
export function findAttestations(
  manifests: ReadonlyMap<Digest, Manifest>,
  images: Lock['images'],
): ReadonlyMap<Digest, readonly Attestation[]> {
  const about = linksOf(manifests, images);
  const found = new Map<Digest, Attestation[]>();
  for (const [digest, manifest] of manifests) {
    const subject = manifest.subject?.digest ?? about.get(digest) ?? digest;
    const own = attestationsIn(manifest, digest, subject);
    if (own.length > 0) found.set(subject, [...(found.get(subject) ?? []), ...own]);
  }
  return found;
}

/** True for a manifest that is about something and is nothing to run. */
export function isAttestation(manifest: Manifest): boolean {
  return manifest.layers.some(({ mediaType }) => kindOf(mediaType) !== undefined) || manifest.artifactType !== undefined;
}

function linksOf(manifests: ReadonlyMap<Digest, Manifest>, images: Lock['images']): ReadonlyMap<Digest, Digest> {
  const links = new Map<Digest, Digest>();
  for (const { manifests: children } of manifests.values()) {
    for (const { digest, annotations } of children) {
      const subject = children.find((child) => child.digest === annotations?.[BUILDKIT_ABOUT]);
      if (subject !== undefined && subject.digest !== digest) links.set(digest, subject.digest);
    }
  }
  for (const { digest, reference, referrers = [] } of images) {
    for (const referrer of referrers) links.set(referrer.digest, referrer.subject);
    const hex = /:sha256-([0-9a-f]{64})(?:\.(?:att|sig|sbom))?$/.exec(reference)?.[1];
    const subject = [...manifests.keys()].find((one) => one === `sha256:${hex ?? ''}`);
    if (subject !== undefined) links.set(digest, subject);
  }
  return links;
}

function attestationsIn(manifest: Manifest, own: Digest, about: Digest): Attestation[] {
  const found = manifest.layers.flatMap(({ mediaType, digest, size, annotations }) => {
    const kind = kindOf(mediaType);
    if (kind === undefined) return [];
    const predicateType = PREDICATE.map((key) => annotations?.[key]).find((value) => value !== undefined);
    const said = predicateType === undefined ? {} : { predicateType };
    return [{ kind: isBom(predicateType) ? ('bom' as const) : kind, digest, size, mediaType, about, ...said }];
  });
  const { artifactType } = manifest;
  if (found.length > 0 || artifactType === undefined) return found;
  // Of an artifact, the layer is what it says, whatever type the layer has.
  const [only, ...more] = manifest.layers;
  const part = only === undefined || more.length > 0 ? { digest: own, size: 0 } : { digest: only.digest, size: only.size };
  return [{ kind: kindOf(artifactType) ?? 'other', ...part, mediaType: artifactType, about }];
}

function isBom(predicateType: string | undefined): boolean {
  return predicateType !== undefined && /spdx|cyclonedx/i.test(predicateType);
}

/** What the type of an artifact or of its content says it is; undefined when it is no statement about anything. */
export function kindOf(mediaType: string): AttestationKind | undefined {
  if (/spdx|cyclonedx/i.test(mediaType)) return 'bom';
  if (/in-toto|dsse/i.test(mediaType)) return 'attestation';
  return /simplesigning|sigstore|notary/i.test(mediaType) ? 'signature' : undefined;
}

/** What is about an image, one of its manifests, or something that refers to these, each once. */
export function attestationsOf(
  image: Pick<LockedImage, 'digest' | 'manifests' | 'referrers'>,
  found: ReadonlyMap<Digest, readonly Attestation[]>,
): readonly Attestation[] {
  const digests = [image, ...(image.manifests ?? []), ...(image.referrers ?? [])].map(({ digest }) => digest);
  const all = [...new Set(digests)].flatMap((digest) => found.get(digest) ?? []);
  return [...new Map(all.map((one) => [`${one.digest} ${one.about}`, one])).values()];
}
