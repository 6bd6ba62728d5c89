import type { Bundle } from '../bundle/bundle.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { fingerprintOf } from '../bundle/signature/public-key.ts';
import { dearmor } from '../bundle/signature/sshsig.ts';
import { checkSignature } from '../bundle/signature/check-signature.ts';
import type { Digest } from '../core/digest.ts';
import { MEDIA } from '../core/oci.ts';
import { MOST_PAYLOAD } from '../inspect/attestation-payload.ts';
import { kindOf, type AttestationKind } from '../inspect/attestations.ts';
import type { LockedBlob, LockedReferrer } from '../lock/lock-schema.ts';
import { leftOutOf, type LeftOut } from './left-out.ts';

/** All sizes are bytes. */
export interface InspectResult {
  readonly path: string;
  readonly size: number;
  readonly release: string;
  readonly version: string;
  readonly platforms: readonly string[];
  /** Digest of the release manifest: what signatures cover. */
  readonly root: string;
  readonly signatures: readonly InspectedSignature[];
  readonly images: readonly InspectedImage[];
  readonly charts: readonly {
    readonly name: string;
    readonly version: string;
    readonly reference: string;
    readonly digest: string;
    readonly size: number;
  }[];
  readonly files: readonly {
    readonly name: string;
    readonly title: string;
    readonly source: string;
    readonly digest: string;
    readonly size: number;
    /** Of a program that a site is made of. */
    readonly component?: { readonly name: string; readonly version: string; readonly platform: string };
  }[];
  /** Bytes of all blobs, each counted once. */
  readonly content: number;
  readonly blobs: number;
  /** Of a delta: what it builds on, and what it leaves out. */
  readonly base?: LeftOut;
}

export interface InspectedSignature {
  /** `SHA256:…`; absent when the signature can't be parsed. */
  readonly fingerprint?: string;
  /** `good`: by that key over this root, which says nothing about trust in the key. */
  readonly state: 'good' | 'wrong' | 'unsupported';
}

export interface InspectedImage {
  readonly reference: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly platforms: readonly string[];
  /** Manifests, configs, layers and what refers to it, together. */
  readonly size: number;
  /** Bytes that something else in the bundle needs as well. */
  readonly shared: number;
  /** Bytes that are here for this image alone. */
  readonly unique: number;
  readonly neededBy: readonly string[];
  /** Signatures, attestations and the like that are carried with it; absent when there are none. */
  readonly referrers?: readonly InspectedReferrer[];
}

export interface InspectedReferrer {
  readonly digest: string;
  readonly kind: AttestationKind;
  /** Its artifact type, or else the type of what it holds. */
  readonly type: string;
  /** Manifest and content together. */
  readonly size: number;
  /** Digest of what it is about: the image, a manifest of it, or another referrer. */
  readonly subject: string;
  /** The tag by which cosign finds it. */
  readonly tag?: string;
  /** It holds a document that is too big for `--html` and `--sbom` to read. */
  readonly unread?: true;
}

/** What is in a bundle, from its lock; no blob is read. @throws DeliverError as `openBundle` */
export async function inspectBundle(path: string): Promise<InspectResult> {
  const bundle = await openBundle(path);
  await bundle.close();
  return inspectOpened(bundle);
}

/** The same of a bundle that is open for more. */
export function inspectOpened(bundle: Bundle): InspectResult {
  const { lock } = bundle;
  const users = countUsers(lock);
  const base = leftOutOf(bundle);
  return {
    path: bundle.path,
    size: bundle.size,
    release: lock.metadata.name,
    version: lock.metadata.version,
    platforms: lock.platforms,
    root: bundle.root.digest,
    signatures: bundle.signatures.map(({ armored }) => inspectSignature(bundle.rootBytes, armored)),
    images: lock.images.map((image) => inspectImage(image, users)),
    charts: lock.charts.map(({ name, version, reference, digest, size, blobs }) => ({
      name,
      version,
      reference,
      digest,
      size: size + sum(blobs),
    })),
    files: lock.files.map(({ name, title, source, digest, size, component }) => ({
      name,
      title,
      source,
      digest,
      size,
      ...(component === undefined ? {} : { component }),
    })),
    content: sum([...bundle.blobs.values()]),
    blobs: bundle.blobs.size,
    ...(base === undefined ? {} : { base }),
  };
}

type LockedItem = Bundle['lock']['images'][number];

function inspectImage(image: LockedItem, users: ReadonlyMap<Digest, number>): InspectedImage {
  const parts = partsOf(image);
  const shared = sum(parts.filter(({ digest }) => (users.get(digest) ?? 0) > 1));
  const platforms = [image, ...(image.manifests ?? [])].flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
  return {
    reference: image.reference,
    digest: image.digest,
    mediaType: image.mediaType,
    platforms: [...new Set(platforms)],
    size: sum(parts),
    shared,
    unique: sum(parts) - shared,
    neededBy: image.neededBy,
    ...(image.referrers === undefined || image.referrers.length === 0 ? {} : { referrers: image.referrers.map(inspectReferrer) }),
  };
}

function inspectReferrer({ digest, size, artifactType, subject, tag, blobs }: LockedReferrer): InspectedReferrer {
  const said = [artifactType ?? '', ...blobs.map(({ mediaType }) => mediaType)].filter((type) => type !== '' && !isPlain(type));
  const type = said[0] ?? MEDIA.octets;
  const kind = kindOf(type) ?? 'other';
  const isUnread = (kind === 'attestation' || kind === 'bom') && blobs.some((blob) => blob.size > MOST_PAYLOAD);
  const more = { ...(tag === undefined ? {} : { tag }), ...(isUnread ? { unread: true as const } : {}) };
  return { digest, kind, type, size: size + sum(blobs), subject, ...more };
}

/** What tells nothing: an empty config, or the config of an image, which cosign's signatures have. */
function isPlain(type: string): boolean {
  return type === MEDIA.empty || /^application\/vnd\.(?:oci|docker)\.(?:image\.config|container\.image)/.test(type);
}

/** How many images, charts and files need each blob. */
function countUsers({ images, charts, files }: Bundle['lock']): ReadonlyMap<Digest, number> {
  const users = new Map<Digest, number>();
  const items = [...images.map(partsOf), ...charts.map((chart) => [chart, ...chart.blobs]), ...files.map((file) => [file])];
  for (const item of items) {
    for (const digest of new Set(item.map((part) => part.digest))) users.set(digest, (users.get(digest) ?? 0) + 1);
  }
  return users;
}

/** Each blob of an image once. */
function partsOf(image: LockedItem): readonly Pick<LockedBlob, 'digest' | 'size'>[] {
  const about = (image.referrers ?? []).flatMap((referrer) => [referrer, ...referrer.blobs]);
  const all = [image, ...(image.manifests ?? []), ...image.blobs, ...about];
  return [...new Map(all.map((part) => [part.digest, part])).values()];
}

function inspectSignature(rootBytes: Uint8Array, armored: string): InspectedSignature {
  const { verdict } = checkSignature(rootBytes, armored, []);
  const state = verdict === 'wrong' || verdict === 'unsupported' ? verdict : 'good';
  try {
    return { fingerprint: fingerprintOf({ blob: dearmor(armored).publicKey }), state };
  } catch {
    return { state };
  }
}

function sum(parts: readonly { readonly size: number }[]): number {
  return parts.reduce((total, { size }) => total + size, 0);
}
