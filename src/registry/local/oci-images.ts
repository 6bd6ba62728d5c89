import { z } from 'zod';
import { digestOf, hexOf, isDigest, type Digest } from '../../core/digest.ts';
import { DeliverError } from '../../core/errors.ts';
import { ANNOTATION, isManifestType, MEDIA } from '../../core/oci.ts';
import { manifestFacts } from '../../serve/manifest-facts.ts';
import { cosignTags, isCosignName } from '../cosign.ts';
import type { FetchedManifest, FoundReferrer } from '../port.ts';
import { badArchive } from './archive-error.ts';
import { readSmall, type LocalContent } from './content.ts';
import type { LocalImage, OpenLocalImage } from './images.ts';
import { MAX_JSON, readJsonFile } from './json-file.ts';

const Entry = z.looseObject({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a sha256 digest'),
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
});
const Index = z.looseObject({ manifests: z.array(Entry) });
type Entry = z.infer<typeof Entry>;

/**
 * The images of an OCI image layout (image-spec image-layout.md), each manifest byte for byte.
 * @returns undefined when it has no index.json, so is no layout
 * @throws DeliverError E_ARCHIVE
 */
export async function ociImages(content: LocalContent): Promise<readonly LocalImage[] | undefined> {
  const index = await readJsonFile(content, 'index.json', Index);
  if (index === undefined) return undefined;
  const entries = index.manifests.filter(({ mediaType }) => isManifestType(mediaType));
  const named = entries.filter((entry) => namesOf(entry).some((name) => !isCosignName(name)));
  // Beside named images, what has no name are the things that refer to them.
  const shown = named.length > 0 ? named : entries;
  const digests = [...new Set(shown.map(({ digest }) => digest))];
  return digests.flatMap((digest): LocalImage[] => {
    const same = shown.filter((entry) => entry.digest === digest);
    const [top] = same;
    return top === undefined
      ? []
      : [{ digest, names: [...new Set(same.flatMap(namesOf))], open: () => opened(content, top, entries) }];
  });
}

function namesOf({ annotations = {} }: Entry): string[] {
  const full = annotations[ANNOTATION.containerdName];
  // Docker puts the whole name there and only the tag into ref.name.
  if (full !== undefined) return [full];
  const name = annotations[ANNOTATION.refName];
  return name === undefined || name === '' ? [] : [name];
}

function opened(content: LocalContent, top: Entry, entries: readonly Entry[]): Promise<OpenLocalImage> {
  const read = async (digest: Digest): Promise<FetchedManifest | undefined> => {
    const bytes = await readSmall(content, blobName(digest), MAX_JSON).catch((error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
      throw badArchive(content.where, `its manifest ${digest} is larger than any is`);
    });
    if (bytes === undefined) return undefined;
    refuseDamaged(content, digest, bytes);
    const mediaType = entries.find((entry) => entry.digest === digest)?.mediaType ?? mediaTypeOf(bytes);
    return mediaType === undefined ? undefined : { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } };
  };
  return Promise.resolve({
    top: { mediaType: top.mediaType, digest: top.digest, size: top.size },
    manifest: read,
    blob: async (digest) => {
      const name = blobName(digest);
      const size = await content.size(name);
      return size === undefined ? undefined : { name, size };
    },
    referrers: async (subject) => {
      const found: FoundReferrer[] = [];
      for (const tag of cosignTags(subject)) {
        const entry = entries.find((one) => namesOf(one).some((name) => name === tag || name.endsWith(`:${tag}`)));
        if (entry !== undefined) found.push({ digest: entry.digest, tag });
      }
      for (const { digest } of entries) {
        const served = await read(digest);
        const facts = served === undefined ? undefined : manifestFacts(served.bytes, served.descriptor);
        if (facts?.subject === subject) found.push({ digest });
      }
      return found;
    },
  });
}

const Typed = z.looseObject({
  mediaType: z.string().optional(),
  manifests: z.unknown().optional(),
  layers: z.unknown().optional(),
});

function mediaTypeOf(bytes: Buffer): string | undefined {
  try {
    const { mediaType, manifests, layers } = Typed.parse(JSON.parse(bytes.toString('utf8')));
    // Optional in both (image-spec, “mediaType”).
    return mediaType ?? (Array.isArray(manifests) ? MEDIA.index : Array.isArray(layers) ? MEDIA.manifest : undefined);
  } catch {
    return undefined;
  }
}

function refuseDamaged({ where }: LocalContent, digest: Digest, bytes: Uint8Array): void {
  const got = digestOf(bytes);
  if (got === digest) return;
  throw new DeliverError('E_DIGEST', {
    what: `${where} is damaged.`,
    why: `${blobName(digest)} is not what its name says\nexpected ${digest}\ngot      ${got}`,
    fix: 'Make it again.',
  });
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
