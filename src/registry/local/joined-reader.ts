import { z } from 'zod';
import { canonicalJson, type Json } from '../../core/canonical-json.ts';
import { digestOf } from '../../core/digest.ts';
import { DeliverError, isDeliverError } from '../../core/errors.ts';
import { isIndexType, MEDIA, platformText } from '../../core/oci.ts';
import { parseIndex, parseManifest, type OciDescriptor } from '../../lock/oci-manifest.ts';
import { isForNoMachine } from '../../lock/platform.ts';
import { readSmallJson } from '../../lock/small-blob.ts';
import type { FetchedManifest, RegistryReader } from '../port.ts';

const Config = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().min(1).optional().catch(undefined),
});

/** Images of one platform each, read as the one image for all of them: an index is made, the same for the same images in this order. */
export function joinedReader(readers: readonly RegistryReader[]): RegistryReader {
  let made: Promise<FetchedManifest> | undefined;
  const index = (): Promise<FetchedManifest> => (made ??= indexOf(readers));
  const firstOf = async <T>(ask: (reader: RegistryReader) => Promise<T>): Promise<T> => {
    let failure: unknown;
    for (const reader of readers) {
      try {
        return await ask(reader);
      } catch (error) {
        // The others may have it; what all of them lack is told as the first of them tells it.
        if (!isDeliverError(error, 'E_DIGEST')) throw error;
        failure ??= error;
      }
    }
    throw failure;
  };
  return {
    manifest: async (repository, tagOrDigest, signal) => {
      const top = await index();
      if (!tagOrDigest.startsWith('sha256:') || tagOrDigest === top.descriptor.digest) return top;
      return firstOf((reader) => reader.manifest(repository, tagOrDigest, signal));
    },
    blob: (repository, digest, signal) => firstOf((reader) => reader.blob(repository, digest, signal)),
    referrers: async (repository, digest, signal) =>
      (await Promise.all(readers.map((reader) => reader.referrers(repository, digest, signal)))).flat(),
  };
}

async function indexOf(readers: readonly RegistryReader[]): Promise<FetchedManifest> {
  const children: Json[] = [];
  const platforms = new Set<string>();
  for (const reader of readers) {
    for (const child of await platformsOf(reader)) {
      const text = child.platform === undefined ? '' : platformText(child.platform);
      if (platforms.has(text) && !isForNoMachine(child.platform)) throw twice(text);
      platforms.add(text);
      children.push(child as unknown as Json);
    }
  }
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: MEDIA.index, manifests: children }));
  return { bytes, descriptor: { mediaType: MEDIA.index, digest: digestOf(bytes), size: bytes.byteLength } };
}

async function platformsOf(reader: RegistryReader): Promise<readonly OciDescriptor[]> {
  const name = 'An image of sources.images';
  const { bytes, descriptor } = await reader.manifest('', '');
  const { mediaType, digest, size } = descriptor;
  if (isIndexType(mediaType)) return parseIndex(bytes, name).manifests;
  const { config } = parseManifest(mediaType, bytes, name);
  const parsed = Config.safeParse(await readSmallJson(reader, '', config, `The config of ${name}`));
  if (!parsed.success)
    throw new DeliverError('E_IMAGE_FORMAT', { what: `The config of ${name} does not say for which platform it is.` });
  const { os, architecture, variant } = parsed.data;
  return [{ mediaType, digest, size, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }];
}

function twice(platform: string): DeliverError {
  return new DeliverError('E_PLATFORM', {
    what: `Two of the places in sources.images have ${platform === '' ? 'an image that does not say for what platform' : platform}.`,
    why: 'Several places for one image are one for each platform.',
    fix: 'Leave one of them out.',
  });
}
