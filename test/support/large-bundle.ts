import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';
import { END_SIZE, headerOf, planBundle } from '../../src/bundle/plan.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { MEDIA } from '../../src/core/oci.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import { buildRelease } from './bundles.ts';
import { noise } from './images.ts';
import { tarMember } from './tar-builder.ts';

const MIB = 1024 * 1024;
const PACKINGS = {
  stored: () => createGzip({ level: 0 }),
  gzip: () => createGzip({ level: 1 }),
  zstd: () => createZstdCompress(),
};

/** A layer that is made while it is written: nothing of this size is in memory. */
export interface LargeLayer {
  readonly name: string;
  readonly packing: keyof typeof PACKINGS;
  /** MiB of one file at its start, of noise or of zeros. */
  readonly filler: number;
  readonly noise: boolean;
  /** Small files after that. */
  readonly files: Readonly<Record<string, string>>;
}

/** Writes an unsigned bundle of one image for each layer. Each layer is made twice, first for its digest. */
export async function writeLargeBundle(path: string, layers: readonly LargeLayer[]): Promise<void> {
  const { lock, content } = buildRelease({ images: [] });
  const large = new Map<Digest, LargeLayer>();
  const put = (text: string, mediaType: string) => {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    all.set(digest, bytes);
    return { digest, size: bytes.length, mediaType };
  };
  const all = new Map(content);
  const images = [];
  for (const layer of layers) {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of bytesOf(layer)) {
      hash.update(chunk);
      size += chunk.byteLength;
    }
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    large.set(digest, layer);
    const described = { digest, size, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' };
    const config = put(canonicalJson({ architecture: 'amd64', os: 'linux', author: layer.name }), MEDIA.config);
    const manifest = put(
      canonicalJson({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [described] }),
      MEDIA.manifest,
    );
    const reference = `docker.io/library/${layer.name}:1`;
    images.push({ reference, ...manifest, platform: 'linux/amd64', blobs: [config, described], neededBy: ['images[0]'] });
  }
  const plan = planBundle(LockSchema.parse({ ...lock, images }), []);
  const file = await open(path, 'wx');
  try {
    for (const member of plan.members) {
      const layer = member.digest === undefined ? undefined : large.get(member.digest);
      const bytes = member.content ?? (member.digest === undefined ? undefined : all.get(member.digest)) ?? new Uint8Array();
      let at = member.headerOffset;
      for await (const chunk of chain([headerOf(member)], layer === undefined ? [bytes] : bytesOf(layer))) {
        await file.write(chunk, 0, chunk.byteLength, at);
        at += chunk.byteLength;
      }
    }
    const last = plan.members.at(-1);
    const end = last === undefined ? 0 : last.headerOffset + 512 + Math.ceil(last.size / 512) * 512;
    await file.truncate(end + END_SIZE);
  } finally {
    await file.close();
  }
}

async function* chain(...all: readonly (Iterable<Uint8Array> | AsyncIterable<Uint8Array>)[]): AsyncGenerator<Uint8Array> {
  for (const one of all) yield* one;
}

function bytesOf(layer: LargeLayer): AsyncIterable<Uint8Array> {
  return Readable.from(tarParts(layer)).pipe(PACKINGS[layer.packing]()) as AsyncIterable<Uint8Array>;
}

function* tarParts({ filler, noise: isNoise, files }: LargeLayer): Generator<Uint8Array> {
  const block = isNoise ? noise(MIB, 'filler') : Buffer.alloc(MIB);
  yield tarMember({ name: 'data/filler', size: filler * MIB });
  for (let at = 0; at < filler; at += 1) yield block;
  for (const [name, text] of Object.entries(files)) yield tarMember({ name, content: Buffer.from(text) });
  yield Buffer.alloc(1024);
}
