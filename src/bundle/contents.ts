import { digestOf, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { MEDIA } from '../core/oci.ts';
import type { Lock, LockedBlob, LockedChart, LockedImage, LockedReferrer } from '../lock/lock-schema.ts';
import { fileManifest } from './artifact.ts';

/** One blob of a release, once, however many things share it. */
export interface ContentBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** What it is for, in a person's words: `image docker.io/library/busybox:1.36, blob 2 of 3`. */
  readonly owners: readonly string[];
  /** The bytes, when the lock holds them or deliver makes them. */
  readonly content?: Uint8Array;
}

interface Part extends Omit<ContentBlob, 'owners'> {
  readonly owner: string;
}

/**
 * Everything that a lock pins, each digest once, in install order: host files, system images, charts, app images;
 * manifests before blobs in each group, so that a reader meets what is small first.
 * @throws DeliverError E_BUNDLE when the lock contradicts itself
 */
export function contentsOf(lock: Lock): readonly ContentBlob[] {
  const system = lock.images.filter(isSystemImage);
  const others = lock.images.filter((image) => !isSystemImage(image));
  const parts = [
    ...manifestsFirst(lock.files.map((file) => fileParts(file))),
    ...manifestsFirst(system.map(imageParts)),
    ...manifestsFirst(lock.charts.map(chartParts)),
    ...manifestsFirst(others.map(imageParts)),
  ];
  return merge(parts);
}

/** Images that the cluster itself needs; `neededBy` starts with the manifest key that asked for them. */
function isSystemImage(image: LockedImage): boolean {
  return image.neededBy.some((place) => place.startsWith('kubernetes'));
}

interface Group {
  readonly manifests: readonly Part[];
  readonly blobs: readonly Part[];
}

function manifestsFirst(groups: readonly Group[]): readonly Part[] {
  return [...groups.flatMap((group) => group.manifests), ...groups.flatMap((group) => group.blobs)];
}

function fileParts(file: Lock['files'][number]): Group {
  const made = fileManifest(file);
  const owner = `file ${file.name}`;
  return {
    manifests: [{ ...made.descriptor, content: made.bytes, owner: `${owner}, manifest` }],
    blobs: [{ digest: file.digest, size: file.size, mediaType: MEDIA.octets, owner }],
  };
}

function imageParts(image: LockedImage): Group {
  const owner = `image ${image.reference}`;
  const own = artifactParts(owner, image, image.manifests ?? []);
  const about = (image.referrers ?? []).map((referrer) => artifactParts(`${referrerText(referrer)} of ${owner}`, referrer, []));
  return {
    manifests: [...own.manifests, ...about.flatMap(({ manifests }) => manifests)],
    blobs: [...own.blobs, ...about.flatMap(({ blobs }) => blobs)],
  };
}

function referrerText({ tag, artifactType }: LockedReferrer): string {
  return `referrer ${tag === undefined ? (artifactType ?? '') : tag.replace(/^sha256-[0-9a-f]+/, '')}`.trim();
}

function chartParts(chart: LockedChart): Group {
  return artifactParts(`chart ${chart.name} ${chart.version}`, chart, []);
}

function artifactParts(owner: string, item: LockedImage | LockedChart | LockedReferrer, children: readonly LockedBlob[]): Group {
  const count = String(item.blobs.length);
  return {
    manifests: [
      part(item, `${owner}, manifest`),
      ...children.map((child) =>
        part(child, `${owner}, manifest${child.platform === undefined ? '' : ` for ${child.platform}`}`),
      ),
    ],
    blobs: item.blobs.map((blob, at) => part(blob, `${owner}, blob ${String(at + 1)} of ${count}`)),
  };
}

function part(blob: LockedBlob, owner: string): Part {
  const { digest, size, mediaType, data } = blob;
  if (data === undefined) return { digest, size, mediaType, owner };
  const content = Buffer.from(data, 'base64');
  if (content.length !== size || digestOf(content) !== digest)
    throw contradiction(`${owner}: the data in the lock is not ${digest}`);
  return { digest, size, mediaType, owner, content };
}

function merge(parts: readonly Part[]): readonly ContentBlob[] {
  const unique = new Map<Digest, ContentBlob>();
  for (const { owner, ...blob } of parts) {
    const known = unique.get(blob.digest);
    if (known !== undefined && known.size !== blob.size) {
      throw contradiction(
        `${blob.digest} has ${String(known.size)} bytes for ${known.owners[0] ?? ''} and ${String(blob.size)} for ${owner}`,
      );
    }
    unique.set(blob.digest, { ...blob, ...known, owners: [...(known?.owners ?? []), owner] });
  }
  return [...unique.values()];
}

function contradiction(why: string): DeliverError {
  return new DeliverError('E_BUNDLE', {
    what: 'The lock contradicts itself.',
    why,
    fix: 'Make the lock again with deliver resolve.',
  });
}
