import type { Digest } from '../../core/digest.ts';
import type { Descriptor } from '../../core/oci.ts';
import type { FetchedManifest, FoundReferrer } from '../port.ts';

/** One of the images in an archive. */
export interface LocalImage {
  /** What it is called there; none for an image without a name. */
  readonly names: readonly string[];
  /** Where it is known without a look at the image. */
  readonly digest?: Digest;
  /** Reads what the archive says about it. */
  open(): Promise<OpenLocalImage>;
}

/** An image at rest, as a registry would have it. */
export interface OpenLocalImage {
  readonly top: Descriptor;
  /** The top, a child of it, or something that refers to them; undefined when there is no such manifest. */
  manifest(digest: Digest): Promise<FetchedManifest | undefined>;
  /** The file that is this blob, and its bytes. */
  blob(digest: Digest): Promise<{ readonly name: string; readonly size: number } | undefined>;
  /** What refers to this manifest. */
  referrers(digest: Digest): Promise<readonly FoundReferrer[]>;
}
