import type { Bundle } from '../bundle/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { isDeliverError, messageOf } from '../core/errors.ts';
import { ChunkReader } from './chunk-reader.ts';
import { factOf, matters, type Fact } from './layer-facts.ts';
import { BadLayer, layerMembers } from './layer-members.ts';
import { unpacked, type UnpackLimits } from './unpacked.ts';

/** What a layer does to the files that tell about packages. */
export interface LayerFacts {
  readonly facts: ReadonlyMap<string, Fact>;
  /** Paths that are no longer there below this layer: whiteouts, and folders that something else replaced. */
  readonly removed: readonly string[];
  /** Folders of which nothing below this layer is seen (opaque whiteouts). */
  readonly opaque: readonly string[];
  /** Why the layer could not be read to its end. */
  readonly problem?: string;
}

/** Files, whiteouts and replaced folders of one layer that are remembered; a Debian desktop has 3000. */
const MAX_KEPT = 100_000;

/**
 * Reads one layer through, holding little more than its package databases. What is wrong with the archive is said, not thrown.
 * @throws DeliverError E_DIGEST, E_SIZE, E_FILE_UNREADABLE when the bundle is damaged there
 */
export async function readLayer(
  bundle: Pick<Bundle, 'stream'>,
  { digest, mediaType }: { readonly digest: Digest; readonly mediaType: string },
  limits: UnpackLimits,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<LayerFacts> {
  const facts = new Map<string, Fact>();
  const removed = new Set<string>();
  const opaque = new Set<string>();
  const source = counted(bundle.stream(digest, signal, 'reused'), onBytes);
  const reader = new ChunkReader(unpacked(source, mediaType, limits));
  try {
    for await (const { path, kind, content } of layerMembers(reader)) {
      const [folder, name] = split(path);
      if (name === '.wh..wh..opq') {
        if (matters(folder)) opaque.add(folder);
      } else if (name.startsWith('.wh.')) {
        const hidden = joined(folder, name.slice('.wh.'.length));
        if (matters(hidden)) removed.add(hidden);
      } else if (kind !== 'folder' && matters(path)) {
        removed.add(path);
        facts.delete(path);
        const fact = kind === 'file' ? await factOf(path, content) : undefined;
        if (fact !== undefined) facts.set(path, fact);
      }
      if (facts.size + removed.size > MAX_KEPT) throw new BadLayer(`it has more than ${String(MAX_KEPT)} such files`);
    }
    await reader.drain();
    return { facts, removed: [...removed], opaque: [...opaque] };
  } catch (error) {
    await reader.close();
    signal.throwIfAborted();
    if (isDeliverError(error)) throw error;
    // Damage on the way shows itself as broken compression too: whose fault it is, the digest says.
    await new ChunkReader(bundle.stream(digest, signal, 'reused')).drain();
    return { facts, removed: [...removed], opaque: [...opaque], problem: messageOf(error) };
  }
}

async function* counted(bytes: AsyncIterable<Uint8Array>, onBytes: (count: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    onBytes(chunk.byteLength);
    yield chunk;
  }
}

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
}

function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
