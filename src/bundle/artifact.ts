import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf } from '../core/digest.ts';
import { ANNOTATION, EMPTY_BLOB, MEDIA, type Descriptor } from '../core/oci.ts';
import type { Lock, LockedFile } from '../lock/lock-schema.ts';

/** Bytes that deliver makes itself, with the descriptor that pins them. */
export interface MadeBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** The lock as it travels: canonical JSON, the config of the release manifest. */
export function lockBlob(lock: Lock): MadeBlob {
  return madeBlob(MEDIA.lock, canonicalJson(lock as Json));
}

/** The release manifest: its digest is the root of a bundle, it pins the lock, the lock pins everything else. */
export function releaseManifest(lock: Lock, config: Descriptor, contents: Descriptor): MadeBlob {
  const { name, version } = lock.metadata;
  return artifact(MEDIA.release, config, [contents], {
    [ANNOTATION.title]: name,
    'org.opencontainers.image.version': version,
  });
}

/** A file of a release as an artifact of one layer, titled by the name it has on arrival (image-spec manifest.md, artifacts). */
export function fileManifest(file: LockedFile): MadeBlob {
  const layer = {
    mediaType: MEDIA.octets,
    digest: file.digest,
    size: file.size,
    annotations: { [ANNOTATION.title]: file.title },
  };
  return artifact(MEDIA.file, plain(EMPTY_BLOB), [layer], { [ANNOTATION.title]: file.name });
}

/** A signature as a referrer of the release manifest: `text` is a SSHSIG, or a sigstore bundle. */
export function signatureManifest(root: Descriptor, text: MadeBlob): MadeBlob {
  const isSigstore = text.descriptor.mediaType === MEDIA.sigstore;
  const title = isSigstore ? 'release.sigstore.json' : 'release.sshsig';
  const layer = { ...plain(text.descriptor), annotations: { [ANNOTATION.title]: title } };
  return artifact(isSigstore ? MEDIA.sigstore : MEDIA.sshsig, plain(EMPTY_BLOB), [layer], undefined, plain(root));
}

export function madeBlob(mediaType: string, content: string): MadeBlob {
  const bytes = Buffer.from(content, 'utf8');
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

/** Type, digest and size alone: what one manifest says about another blob. */
export function plain(descriptor: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>): Descriptor {
  return { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size };
}

function artifact(
  artifactType: string,
  config: Descriptor,
  layers: readonly Descriptor[],
  annotations?: Readonly<Record<string, string>>,
  subject?: Descriptor,
): MadeBlob {
  const manifest = { schemaVersion: 2, mediaType: MEDIA.manifest, artifactType, config, layers, annotations, subject };
  const made = madeBlob(MEDIA.manifest, canonicalJson(manifest as unknown as Json));
  return { ...made, descriptor: { ...made.descriptor, artifactType } };
}
