import type { Bundle } from '../bundle/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Report } from '../core/report.ts';
import { bytesText } from '../core/amounts.ts';
import type { ImagePart, ImageLayer } from './image-parts.ts';
import { mergeLayers, type PackageFacts } from './merge-layers.ts';
import { readLayer, type LayerFacts } from './read-layer.ts';
import { UNPACK_LIMITS, type UnpackLimits } from './unpacked.ts';

/** Layers unpacked at once: zlib works on other threads. */
const AT_ONCE = 2;

/**
 * The packages of every manifest, by its digest. A layer that several images share is read once.
 * @throws DeliverError E_DIGEST, E_SIZE, E_FILE_UNREADABLE when the bundle is damaged
 */
export async function analysePackages(
  bundle: Pick<Bundle, 'stream' | 'blobs'>,
  parts: readonly ImagePart[],
  report: Report,
  signal: AbortSignal,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<ReadonlyMap<Digest, PackageFacts>> {
  const layers = new Map<Digest, ImageLayer>(parts.flatMap((part) => part.layers.map((layer) => [layer.digest, layer])));
  const here = [...layers.values()].filter(({ digest, mediaType }) => bundle.blobs.has(digest) && isFileSystem(mediaType));
  const total = here.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const read = new Map<Digest, LayerFacts>();
  await inParallel(here, AT_ONCE, signal, async (layer, stop) => {
    const facts = await readLayer(bundle, layer, limits, stop, (count) => {
      done += count;
      report.progress({ done: Math.min(done, total), total, unit: 'bytes' });
    });
    read.set(layer.digest, facts);
  });
  return new Map(parts.map((part) => [part.digest, factsOf(part, read, bundle)]));
}

function factsOf(part: ImagePart, read: ReadonlyMap<Digest, LayerFacts>, { blobs }: Pick<Bundle, 'blobs'>): PackageFacts {
  const found = part.layers.flatMap(({ digest }) => read.get(digest) ?? []);
  const { notes, ...facts } = mergeLayers(found);
  const unread = part.layers.flatMap(({ digest, size }) => {
    if (!blobs.has(digest)) return [`layer ${digest} (${bytesText(size)}) is left out of this delta, so it was not analysed`];
    const problem = read.get(digest)?.problem;
    return problem === undefined ? [] : [`layer ${digest} was not read to its end: ${problem}`];
  });
  const nothing = facts.packages.length === 0 && notes.length === 0 && unread.length === 0;
  return { ...facts, notes: [...notes, ...unread, ...(nothing ? ['has no package database that is known here'] : [])] };
}

function isFileSystem(mediaType: string): boolean {
  return /tar|rootfs|octet-stream/.test(mediaType);
}
