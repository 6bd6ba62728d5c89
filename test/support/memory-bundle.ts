import type { Bundle } from '../../src/bundle/bundle.ts';
import { verified, type Digest } from '../../src/core/digest.ts';
import type { Lock, LockedBlob } from '../../src/lock/lock-schema.ts';
import type { BuiltImage } from './images.ts';

/** What a push needs of a bundle and its lock, in memory. */
export interface MemoryBundle extends Pick<Bundle, 'blobs' | 'bytes' | 'stream'> {
  readonly lock: Pick<Lock, 'images' | 'charts'>;
  /** Digests in the order in which they were streamed. */
  readonly streamed: Digest[];
  /** Replaces the content of a blob by other bytes of the same size. */
  corrupt(digest: Digest): void;
}

export interface MemoryBundleOptions {
  readonly charts?: Readonly<Record<string, BuiltImage>>;
  /** Bytes per chunk of a stream. */
  readonly chunk?: number;
}

/** @param images by reference, as a lock names them */
export function memoryBundle(images: Readonly<Record<string, BuiltImage>>, options: MemoryBundleOptions = {}): MemoryBundle {
  const content = new Map<Digest, Uint8Array>();
  const all = [...Object.values(images), ...Object.values(options.charts ?? {})];
  for (const image of all) {
    for (const manifest of image.manifests) content.set(manifest.descriptor.digest, manifest.bytes);
    for (const [digest, bytes] of image.blobs) content.set(digest, bytes);
  }
  const blobs = new Map<Digest, { offset: number; size: number; mediaType: string }>();
  let offset = 0;
  for (const [digest, bytes] of content) {
    blobs.set(digest, { offset, size: bytes.byteLength, mediaType: 'application/octet-stream' });
    offset += bytes.byteLength;
  }
  const streamed: Digest[] = [];
  const get = (digest: Digest): Uint8Array => {
    const bytes = content.get(digest);
    if (bytes === undefined) throw new Error(`the test bundle has no ${digest}`);
    return bytes;
  };
  return {
    lock: {
      images: Object.entries(images).map(([reference, image]) => ({ reference, ...locked(image), neededBy: ['images[0]'] })),
      charts: Object.entries(options.charts ?? {}).map(([name, chart]) => {
        const reference = `charts/${name}:1.0.0`;
        return { name, version: '1.0.0+2', reference, source: `oci://charts.example/${name}`, ...locked(chart) };
      }),
    },
    blobs,
    streamed,
    corrupt: (digest) => {
      const bytes = Buffer.from(get(digest));
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      content.set(digest, bytes);
    },
    bytes: async (digest) => get(digest),
    stream: (digest) => {
      streamed.push(digest);
      const bytes = get(digest);
      return verified(slices(bytes, options.chunk ?? 256 * 1024), { digest, size: bytes.byteLength }, 'the test bundle');
    },
  };
}

function locked(
  image: BuiltImage,
): Pick<LockedBlob, 'digest' | 'size' | 'mediaType'> & { manifests: LockedBlob[]; blobs: LockedBlob[] } {
  const { mediaType, digest, size } = image.descriptor;
  return {
    mediaType,
    digest,
    size,
    manifests: image.manifests.slice(0, -1).map(({ descriptor }) => pick(descriptor)),
    blobs: [...image.blobs].map(([blobDigest, bytes]) => ({
      digest: blobDigest,
      size: bytes.byteLength,
      mediaType: 'application/octet-stream',
    })),
  };
}

function pick({ digest, size, mediaType }: Pick<LockedBlob, 'digest' | 'size' | 'mediaType'>): LockedBlob {
  return { digest, size, mediaType };
}

async function* slices(bytes: Uint8Array, chunk: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunk) yield bytes.subarray(at, at + chunk);
}
