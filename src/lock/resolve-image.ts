import { z } from 'zod';
import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { isIndexType, platformText } from '../core/oci.ts';
import type { FetchedManifest, ImageSource, RegistryReader } from '../registry/port.ts';
import type { LockedBlob, LockedImage } from './lock-schema.ts';
import type { NeededImage } from './needed-images.ts';
import { parseIndex, parseManifest, type OciManifest } from './oci-manifest.ts';
import { parsePlatform, samePlatform } from './platform.ts';
import { lockedChild, missingPlatforms, selectPlatforms, type Selection } from './select-platforms.ts';
import { resolveReferrers } from './resolve-referrers.ts';
import { readSmallJson } from './small-blob.ts';

const ImageConfig = z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
/** Other configs belong to artifacts that run on no machine. */
const CONFIG_TYPES = /^application\/vnd\.(?:oci\.image\.config|docker\.container\.image)\.v1\+json$/;

export interface ResolveImageOptions {
  readonly platforms: readonly string[];
  /** Also what refers to it: signatures, attestations, bills of materials. */
  readonly referrers?: boolean;
  /** What an earlier lock has under the same reference; used as far as the registry still serves it. */
  readonly previous?: LockedImage | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One image by digest and size. A tag resolves to the selected platforms; a digest keeps everything that hangs from it
 * (design.md, “Registry digests survive”).
 * @throws DeliverError E_PLATFORM, E_IMAGE_FORMAT, E_SOURCE*
 */
export async function resolveImage(needed: NeededImage, source: ImageSource, options: ResolveImageOptions): Promise<LockedImage> {
  const { reader, repository } = source.locate(needed.reference);
  return new ImageResolution(needed, reader, repository, options).run();
}

class ImageResolution {
  readonly #needed: NeededImage;
  readonly #reader: RegistryReader;
  readonly #repository: string;
  readonly #options: ResolveImageOptions;

  constructor(needed: NeededImage, reader: RegistryReader, repository: string, options: ResolveImageOptions) {
    this.#needed = needed;
    this.#reader = reader;
    this.#repository = repository;
    this.#options = options;
  }

  async run(): Promise<LockedImage> {
    const { referrers: _, ...image } = await this.#image();
    if (this.#options.referrers !== true) return image;
    // Nothing can refer to an index that deliver made.
    const own = image.data === undefined ? [image.digest] : [];
    const subjects = [...own, ...(image.manifests ?? []).map(({ digest }) => digest)];
    const referrers = await resolveReferrers(subjects, {
      reader: this.#reader,
      repository: this.#repository,
      name: this.#needed.key,
      signal: this.#options.signal,
    });
    return referrers.length === 0 ? image : { ...image, referrers: [...referrers] };
  }

  async #image(): Promise<LockedImage> {
    const { reference, key } = this.#needed;
    const { previous } = this.#options;
    // Content behind a digest never changes, so it is not asked for again.
    if (reference.digest !== undefined && previous?.digest === reference.digest) return this.#again(previous);
    const served = await this.#fetch(reference.digest ?? reference.tag ?? 'latest');
    if (!isIndexType(served.descriptor.mediaType)) return this.#single(served);

    const index = parseIndex(served.bytes, key);
    const top = lockedChild({ ...served.descriptor, platform: undefined });
    const { platforms, referrers = false } = this.#options;
    const selected = selectPlatforms(top, index, { platforms, attestations: referrers }, key);
    const selection: Selection =
      reference.digest === undefined ? selected : { top, children: uniqueBlobs(index.manifests.map(lockedChild)) };
    if (previous?.digest === selection.top.digest) return this.#again(previous);
    if (selection.children === undefined) return this.#locked(selection.top, undefined, [await this.#manifest(selection.top)]);
    const manifests = await Promise.all(selection.children.map((child) => this.#manifest(child)));
    return this.#locked(selection.top, selection.children, manifests);
  }

  async #single(served: FetchedManifest): Promise<LockedImage> {
    const { previous } = this.#options;
    const { mediaType, digest, size } = served.descriptor;
    if (previous?.digest === digest) return this.#again(previous);
    const manifest = parseManifest(mediaType, served.bytes, this.#needed.key);
    return this.#locked({ digest, size, mediaType, ...(await this.#platformOf(manifest)) }, undefined, [manifest]);
  }

  async #platformOf(manifest: OciManifest): Promise<{ platform?: string }> {
    if (!CONFIG_TYPES.test(manifest.config.mediaType)) return {};
    const { key } = this.#needed;
    const json = await readSmallJson(
      this.#reader,
      this.#repository,
      manifest.config,
      `The config of ${key}`,
      this.#options.signal,
    );
    const config = ImageConfig.safeParse(json);
    if (!config.success)
      throw new DeliverError('E_IMAGE_FORMAT', { what: `The config of ${key} does not say for which platform it is.` });
    const missing = this.#options.platforms.filter((text) => !samePlatform(parsePlatform(text), config.data));
    if (missing.length > 0) throw missingPlatforms(key, missing, [config.data]);
    return { platform: platformText(config.data) };
  }

  async #manifest(child: LockedBlob): Promise<OciManifest> {
    const served = await this.#fetch(child.digest);
    if (served.descriptor.size !== child.size) {
      throw new DeliverError('E_SIZE', {
        what: `The size of ${child.digest} in ${this.#needed.key} is not what its index says.`,
        why: `expected ${child.size} bytes, got ${served.descriptor.size}`,
      });
    }
    return parseManifest(child.mediaType, served.bytes, this.#needed.key);
  }

  #fetch(tagOrDigest: string | Digest): Promise<FetchedManifest> {
    return this.#reader.manifest(this.#repository, tagOrDigest, this.#options.signal);
  }

  #again(previous: LockedImage): LockedImage {
    return { ...previous, neededBy: [...this.#needed.neededBy] };
  }

  #locked(top: LockedBlob, children: readonly LockedBlob[] | undefined, manifests: readonly OciManifest[]): LockedImage {
    const blobs = manifests.flatMap(({ config, layers }) =>
      [config, ...layers].map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
    );
    return {
      reference: this.#needed.key,
      ...top,
      ...(children === undefined ? {} : { manifests: [...children] }),
      blobs: uniqueBlobs(blobs),
      neededBy: [...this.#needed.neededBy],
    };
  }
}

/** Each digest once, where it stands first. */
function uniqueBlobs(blobs: readonly LockedBlob[]): LockedBlob[] {
  const seen = new Set<Digest>();
  return blobs.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}
