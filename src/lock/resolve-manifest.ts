import { digestOf } from '../core/digest.ts';
import type { FileSource } from '../store/port.ts';
import type { LockedFile } from './lock-schema.ts';
import type { ManifestFile } from './manifest-files.ts';
import { manifestImages } from './manifest-images.ts';
import type { ImagePlace } from './needed-images.ts';
import { sourceLocation } from './resolve-file.ts';
import { gather } from './small-blob.ts';

export interface ResolvedManifest {
  readonly file: LockedFile;
  readonly images: readonly ImagePlace[];
}

/**
 * One manifest file by digest and size, and the images that its pods run.
 * @throws DeliverError E_FILE_*, E_SOURCE*, E_YAML, E_SCHEMA, E_REFERENCE, E_NOT_YET
 */
export async function resolveManifest(
  { name, title, source, neededBy }: ManifestFile,
  files: FileSource,
  options: { readonly folder: string; readonly signal?: AbortSignal | undefined },
): Promise<ResolvedManifest> {
  const bytes = await gather(await files.open(sourceLocation(options.folder, source), options.signal));
  const images = manifestImages(source, neededBy, bytes.toString('utf8'));
  const references = [...new Set(images.map(({ image }) => image))];
  return {
    file: {
      name,
      title,
      source,
      digest: digestOf(bytes),
      size: bytes.byteLength,
      ...(references.length === 0 ? {} : { images: references }),
    },
    images,
  };
}
