import type { Digest } from '../../src/core/digest.ts';
import { DeliverError } from '../../src/core/errors.ts';
import { parseReference } from '../../src/core/reference.ts';
import type { FetchedManifest, ImageSource, RegistryReader } from '../../src/registry/port.ts';
import type { BuiltImage } from './images.ts';

/** Registries in memory, one per host, that count what they are asked for. */
export interface MemorySource extends ImageSource {
  /** `manifest docker.io/library/busybox:1.36`, `blob docker.io/library/busybox@sha256:…` in the order of asking. */
  readonly asked: string[];
  /** Points a reference at an image, now or later. */
  put(reference: string, image: BuiltImage): void;
}

export function memorySource(images: Readonly<Record<string, BuiltImage>>): MemorySource {
  const manifests = new Map<string, FetchedManifest>();
  const blobs = new Map<string, Uint8Array>();
  const asked: string[] = [];

  const put = (text: string, image: BuiltImage): void => {
    const { host, repository, tag } = parseReference(text);
    const base = `${host}/${repository}`;
    if (tag !== undefined) manifests.set(`${base}:${tag}`, image);
    for (const manifest of image.manifests) manifests.set(`${base}@${manifest.descriptor.digest}`, manifest);
    for (const [digest, bytes] of image.blobs) blobs.set(`${base}@${digest}`, bytes);
  };
  for (const [text, image] of Object.entries(images)) put(text, image);

  const found = <T>(map: ReadonlyMap<string, T>, kind: string, key: string): T => {
    asked.push(`${kind} ${key}`);
    const value = map.get(key);
    if (value === undefined) throw new DeliverError('E_SOURCE_NOT_FOUND', { what: `${key} is not there.` });
    return value;
  };
  const readerOf = (host: string): RegistryReader => ({
    manifest: async (repository, tagOrDigest) => {
      const { descriptor, bytes } = found(
        manifests,
        'manifest',
        `${host}/${repository}${tagOrDigest.startsWith('sha256:') ? '@' : ':'}${tagOrDigest}`,
      );
      return { descriptor: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size }, bytes };
    },
    referrers: () => Promise.resolve([]),
    blob: async (repository, digest: Digest) => inPieces(found(blobs, 'blob', `${host}/${repository}@${digest}`)),
  });
  return { asked, put, locate: ({ host, repository }) => ({ reader: readerOf(host), repository }) };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 700) yield bytes.subarray(at, at + 700);
}
