import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, type Json } from '../../core/canonical-json.ts';
import { digestOf, isDigest, type Digest } from '../../core/digest.ts';
import { MEDIA } from '../../core/oci.ts';
import { badArchive } from './archive-error.ts';
import { readSmall, type LocalContent } from './content.ts';
import type { LocalImage, OpenLocalImage } from './images.ts';
import { MAX_JSON, readJsonFile } from './json-file.ts';

const Saved = z.array(
  z.looseObject({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
);
const Config = z.looseObject({ rootfs: z.looseObject({ diff_ids: z.array(z.string()) }) });
type SavedImage = z.infer<typeof Saved>[number];

const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const PACKED: readonly { readonly magic: string; readonly suffix: string }[] = [
  { magic: '1f8b', suffix: '+gzip' },
  { magic: '28b52ffd', suffix: '+zstd' },
];

interface Blob {
  readonly name: string;
  readonly size: number;
  readonly digest: Digest;
  readonly mediaType: string;
}

/**
 * The images of what `docker save` writes: manifest.json, configs, layers. It has no OCI manifest, so one is made, the same for the
 * same config and layers (docs/decisions/0017); config and layers stay as they are.
 * @returns undefined when it has no manifest.json
 * @throws DeliverError E_ARCHIVE
 */
export async function dockerImages(content: LocalContent): Promise<readonly LocalImage[] | undefined> {
  const saved = await readJsonFile(content, 'manifest.json', Saved);
  return saved?.map((image) => ({ names: image.RepoTags ?? [], open: () => opened(content, image) }));
}

async function opened(content: LocalContent, image: SavedImage): Promise<OpenLocalImage> {
  const { where } = content;
  const bytes = await readSmall(content, image.Config, MAX_JSON).catch((error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    throw badArchive(where, `its config ${image.Config} is larger than any is`);
  });
  if (bytes === undefined) throw badArchive(where, `it lacks the config ${image.Config}, which its manifest.json names`);
  const diffIds = diffIdsOf(bytes, image.Config, where);
  if (diffIds.length !== image.Layers.length) {
    const [said, has] = [String(diffIds.length), String(image.Layers.length)];
    throw badArchive(where, `its config names ${said} layers, its manifest.json ${has}`, 'Make it again with docker save.');
  }
  const config = { name: image.Config, size: bytes.byteLength, digest: digestOf(bytes), mediaType: MEDIA.config };
  const layers: Blob[] = [];
  for (const [at, name] of image.Layers.entries()) layers.push(await layerOf(content, name, diffIds[at]));
  const manifest = manifestOf(config, layers);
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  const { descriptor } = manifest;
  return {
    top: descriptor,
    manifest: (digest) => Promise.resolve(digest === descriptor.digest ? manifest : undefined),
    blob: (digest) => Promise.resolve(blobs.get(digest)),
    referrers: () => Promise.resolve([]),
  };
}

function diffIdsOf(config: Buffer, name: string, where: string): readonly string[] {
  try {
    return Config.parse(JSON.parse(config.toString('utf8'))).rootfs.diff_ids;
  } catch {
    throw badArchive(where, `its config ${name} does not say which layers the image has`);
  }
}

/** The config names an uncompressed layer by its digest, so nothing has to be read to know it; pack hashes what it reads. */
async function layerOf(content: LocalContent, name: string, diffId: string | undefined): Promise<Blob> {
  const size = await content.size(name);
  if (size === undefined) throw badArchive(content.where, `it lacks the layer ${name}, which its manifest.json names`);
  const start = await hexOfStart(content, name);
  const packed = PACKED.find(({ magic }) => start.startsWith(magic));
  if (packed !== undefined) return { name, size, digest: await hashed(content, name), mediaType: `${LAYER}${packed.suffix}` };
  if (diffId === undefined || !isDigest(diffId))
    throw badArchive(content.where, `its config gives no digest for the layer ${name}`);
  return { name, size, digest: diffId, mediaType: LAYER };
}

async function hexOfStart(content: LocalContent, name: string): Promise<string> {
  for await (const chunk of content.read(name, { length: 8 })) return Buffer.from(chunk).toString('hex');
  return '';
}

async function hashed(content: LocalContent, name: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of content.read(name)) hash.update(chunk);
  return `sha256:${hash.digest('hex')}` as Digest;
}

function manifestOf(config: Blob, layers: readonly Blob[]): { bytes: Uint8Array; descriptor: OpenLocalImage['top'] } {
  const entry = ({ mediaType, digest, size }: Blob): Json => ({ mediaType, digest, size });
  const bytes = Buffer.from(
    canonicalJson({ schemaVersion: 2, mediaType: MEDIA.manifest, config: entry(config), layers: layers.map(entry) }),
  );
  return { bytes, descriptor: { mediaType: MEDIA.manifest, digest: digestOf(bytes), size: bytes.byteLength } };
}
