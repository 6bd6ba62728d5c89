import type { Digest } from '../core/digest.ts';
import type { Attestation } from './attestations.ts';
import type { ImagePart } from './image-parts.ts';
import type { PackageFacts } from './merge-layers.ts';

/** An image with what its manifests, configs and layers tell. Sizes are bytes. */
export interface DeepImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly size: number;
  readonly unique: number;
  readonly neededBy: readonly string[];
  readonly parts: readonly ImagePart[];
  readonly attestations: readonly Attestation[];
  /** By manifest digest; empty when packages were not looked for. */
  readonly packages: ReadonlyMap<Digest, PackageFacts>;
}

export interface SharedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  readonly users: readonly string[];
}
