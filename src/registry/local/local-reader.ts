import { isDigest, type Digest } from '../../core/digest.ts';
import { DeliverError } from '../../core/errors.ts';
import { isIndexType } from '../../core/oci.ts';
import { parseManifest } from '../../lock/oci-manifest.ts';
import { manifestFacts } from '../../serve/manifest-facts.ts';
import type { FetchedManifest, RegistryReader } from '../port.ts';
import { badArchive } from './archive-error.ts';
import type { LocalContent } from './content.ts';
import type { OpenLocalImage } from './images.ts';

/** An image that was picked out of its archive. */
export interface PickedImage {
  readonly content: LocalContent;
  readonly image: OpenLocalImage;
}

/** One image at rest, read as if a registry served it: by any tag the image itself, by digest what hangs from it. */
export function localReader(picked: () => Promise<PickedImage>): RegistryReader {
  return {
    manifest: async (_, tagOrDigest) => {
      const { content, image } = await picked();
      const digest = isDigest(tagOrDigest) ? tagOrDigest : image.top.digest;
      const found = await image.manifest(digest);
      if (found === undefined) throw await notThere({ content, image }, digest);
      await refuseIncomplete(found, { content, image });
      return found;
    },
    blob: async (_, digest, signal) => {
      const { content, image } = await picked();
      const found = await image.blob(digest);
      if (found === undefined) throw await notThere({ content, image }, digest);
      return content.read(found.name, { signal });
    },
    referrers: async (_, digest) => (await picked()).image.referrers(digest),
  };
}

/** Layers that are gone are better found while resolving than an hour into a pack. */
async function refuseIncomplete({ bytes, descriptor }: FetchedManifest, { content, image }: PickedImage): Promise<void> {
  if (isIndexType(descriptor.mediaType)) return;
  const { config, layers } = parseManifest(descriptor.mediaType, bytes, content.where);
  for (const { digest, size } of [config, ...layers]) {
    const blob = await image.blob(digest);
    if (blob === undefined) throw badArchive(content.where, `it lacks ${digest}, which its manifest names`);
    if (blob.size === size) continue;
    const [has, said] = [String(blob.size), String(size)];
    throw badArchive(content.where, `${digest} has ${has} bytes in it, its manifest says ${said}`);
  }
}

/** Either the archive lacks a part of its own image, or it is no longer the one that was locked. */
async function notThere({ content, image }: PickedImage, digest: Digest): Promise<DeliverError> {
  const { where } = content;
  const top = await image.manifest(image.top.digest);
  const parts = top === undefined ? undefined : manifestFacts(top.bytes, top.descriptor);
  if (digest === image.top.digest || parts?.children.includes(digest) === true)
    return badArchive(
      where,
      `it lacks the manifest ${digest}, which its index names`,
      'Export the image again, with all its platforms.',
    );
  return new DeliverError('E_DIGEST', {
    what: `${where} is not what was locked.`,
    why: `expected ${digest}\ngot      ${image.top.digest}`,
    fix: 'If it was built anew on purpose, run deliver resolve and review the lock; else ask who changed it.',
  });
}
