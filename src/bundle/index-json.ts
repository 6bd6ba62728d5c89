import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { DeliverError } from '../core/errors.ts';
import { ANNOTATION, isIndexType, MEDIA, type Descriptor, type Platform } from '../core/oci.ts';
import { parseReference } from '../core/reference.ts';
import { paddedSize } from '../core/tar-header.ts';
import type { Lock, LockedBlob, LockedChart } from '../lock/lock-schema.ts';
import { fileManifest, plain } from './artifact.ts';
import { baseAnnotations } from './base-annotation.ts';
import type { PlannedDelta } from './delta.ts';

/** Bytes kept free for the descriptors of signatures: each takes about 300. */
const SIGNATURE_ROOM = 4096;

/**
 * index.json of the layout (image-spec image-layout.md): the release, its files, charts and images by reference, then
 * signatures; of a delta also its base. Trailing spaces fill it to a size that depends on lock and base alone, so that a
 * signature added later moves nothing.
 * @throws DeliverError E_BUNDLE when the signatures do not fit
 */
export function indexJson(lock: Lock, root: Descriptor, signatures: readonly Descriptor[], delta?: PlannedDelta): Uint8Array {
  const entries = [releaseEntry(lock, root), ...contentEntries(lock)];
  const annotations = delta === undefined ? {} : { annotations: baseAnnotations(delta) };
  const encode = (manifests: readonly Descriptor[]): Buffer => {
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests, ...annotations };
    return Buffer.from(canonicalJson(index as unknown as Json), 'utf8');
  };
  const size = paddedSize(encode(entries).length + SIGNATURE_ROOM);
  const text = encode([...entries, ...signatures.map(signatureEntry)]);
  if (text.length > size) {
    throw new DeliverError('E_BUNDLE', {
      what: 'The bundle has no room for another signature.',
      why: 'index.json would outgrow its place.',
    });
  }
  return Buffer.concat([text, Buffer.alloc(size - text.length, ' ')]);
}

/** What of index.json the lock alone decides: the release's reference and the text of the entries between it and the signatures. */
export function indexPins(lock: Lock): { readonly reference: string; readonly text: string } {
  const entries = contentEntries(lock).map((entry) => `,${canonicalJson(entry as unknown as Json)}`);
  return { reference: releaseReference(lock), text: entries.join('') };
}

function contentEntries(lock: Lock): readonly Descriptor[] {
  return [...fileEntries(lock), ...lock.charts.map(chartEntry), ...lock.images.map(imageEntry), ...referrerEntries(lock)];
}

function signatureEntry(signature: Descriptor): Descriptor {
  return { ...plain(signature), artifactType: signature.artifactType };
}

function releaseEntry(lock: Lock, root: Descriptor): Descriptor {
  return { ...plain(root), artifactType: MEDIA.release, annotations: { [ANNOTATION.refName]: releaseReference(lock) } };
}

function releaseReference({ metadata }: Lock): string {
  return legalRefName(`${metadata.name}:${metadata.version}`);
}

/** Without the title, which the layer has: oras takes it for the name of a second file and refuses both. */
function fileEntries(lock: Lock): readonly Descriptor[] {
  return lock.files.map((file) => ({
    ...plain(fileManifest(file).descriptor),
    artifactType: MEDIA.file,
    annotations: { [ANNOTATION.refName]: `files/${legalRefName(file.name)}` },
  }));
}

function chartEntry(chart: LockedChart): Descriptor {
  return {
    ...plain(chart),
    artifactType: MEDIA.helmConfig,
    annotations: { [ANNOTATION.refName]: legalRefName(chart.reference), [ANNOTATION.title]: `${chart.name} ${chart.version}` },
  };
}

/** The reference stays as it is even where it breaks the ref.name grammar (`a__b`): readers look images up by their own names. */
function imageEntry(image: LockedBlob & { readonly reference: string }): Descriptor {
  return {
    ...plain(image),
    ...(image.platform === undefined || isIndexType(image.mediaType) ? {} : { platform: platformOf(image.platform) }),
    annotations: { [ANNOTATION.refName]: image.reference, [ANNOTATION.containerdName]: image.reference },
  };
}

/** Each once, after the images that they are about: readers find them by their subject, cosign's by their names. */
function referrerEntries({ images }: Lock): readonly Descriptor[] {
  const entries = new Map<string, Descriptor>();
  for (const { reference, referrers = [] } of images) {
    for (const { tag, artifactType, ...blob } of referrers) {
      const { host, repository } = parseReference(reference);
      const name = tag === undefined ? undefined : `${host}/${repository}:${tag}`;
      entries.set(name ?? blob.digest, {
        ...plain(blob),
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(name === undefined ? {} : { annotations: { [ANNOTATION.refName]: name, [ANNOTATION.containerdName]: name } }),
      });
    }
  }
  return [...entries.values()];
}

function platformOf(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** The nearest text in the grammar of ref.name (image-spec annotations.md): words joined by single separators. */
function legalRefName(text: string): string {
  return text
    .replace(/[^A-Za-z0-9\-._:@+/]+/g, '-')
    .replace(/([-._:@+/])[-._:@+/]+/g, '$1')
    .replace(/^[-._:@+/]+|[-._:@+/]+$/g, '');
}
