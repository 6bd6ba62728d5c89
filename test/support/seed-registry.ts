import type { MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import type { BuiltImage } from './images.ts';

/** Puts an image into a registry in memory, under a tag or, without one, by its digest alone. */
export function seedImage({ content }: MemoryRegistry, repository: string, image: BuiltImage, tag?: string): void {
  for (const bytes of image.blobs.values()) content.seedBlob(repository, Buffer.from(bytes));
  for (const { descriptor, bytes } of image.manifests)
    content.seedManifest(repository, null, descriptor.mediaType, Buffer.from(bytes));
  if (tag !== undefined) content.seedManifest(repository, tag, image.descriptor.mediaType, Buffer.from(image.bytes));
}
