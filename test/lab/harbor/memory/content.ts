import { createHash } from 'node:crypto';
import type { BlobStore, StoredBlob } from './blobs.ts';

export interface StoredManifest {
  mediaType: string;
  bytes: Buffer;
}

export interface RepositoryContent {
  blobs: Map<string, StoredBlob>;
  manifests: Map<string, StoredManifest>;
  tags: Map<string, string>;
}

/** What the registry holds; tests may look into it and seed it without a request. */
export interface Content {
  readonly repositories: ReadonlyMap<string, RepositoryContent>;
  repository(name: string): RepositoryContent;
  seedBlob(repository: string, bytes: Buffer): { digest: string; size: number };
  /** `reference` null: by digest only. */
  seedManifest(repository: string, reference: string | null, mediaType: string, bytes: Buffer): { digest: string; size: number };
}

export const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export function openContent(store: BlobStore): Content {
  const repositories = new Map<string, RepositoryContent>();
  const repository = (name: string): RepositoryContent => {
    const found = repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(name, found);
    return found;
  };
  return {
    repositories,
    repository,
    seedBlob: (name, bytes) => {
      const upload = store.begin();
      upload.append(bytes);
      const digest = sha256(bytes);
      repository(name).blobs.set(digest, upload.finish());
      return { digest, size: bytes.length };
    },
    seedManifest: (name, reference, mediaType, bytes) => {
      const digest = sha256(bytes);
      repository(name).manifests.set(digest, { mediaType, bytes });
      if (reference !== null) repository(name).tags.set(reference, digest);
      return { digest, size: bytes.length };
    },
  };
}
