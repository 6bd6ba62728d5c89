import { decodeTarHeader, isZeroBlock, paddedSize, TAR_BLOCK } from '../core/tar-header.ts';
import type { ChunkReader } from './chunk-reader.ts';

/** The content of a member; only before the next member is asked for, and once. */
export interface MemberContent {
  readonly size: number;
  /** All of it: the caller has looked at the size. @throws BadLayer when the archive ends before it does */
  bytes(): Promise<Buffer>;
  /** Each is good until the next one is asked for. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** One member of a layer's tar. */
export interface LayerMember {
  /** As in the archive, without `./` or `/` before it and without `/` after it. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly content: MemberContent;
}

/** A tar that can't be read on from here. */
export class BadLayer extends Error {}

/** Bytes of a long name or a pax header; image layers have up to a few KB of them. */
const MAX_EXTENSION = 1024 * 1024;

/**
 * The members of a layer, one after the other. tar-stream holds a pax header of any size that an archive claims in memory;
 * layers are other people's bytes, so this reader is our own.
 * @throws BadLayer
 */
export async function* layerMembers(reader: ChunkReader): AsyncGenerator<LayerMember> {
  let longName: string | undefined;
  let pax: ReadonlyMap<string, string> = new Map();
  for (;;) {
    const block = await reader.read(TAR_BLOCK);
    if (block.length === 0 || (block.length === TAR_BLOCK && isZeroBlock(block))) return;
    const header = decodeTarHeader(block);
    if ('problem' in header) throw new BadLayer(`a tar header is damaged: ${header.problem}`);
    if (['x', 'g', 'L', 'K'].includes(header.type)) {
      if (header.size > MAX_EXTENSION) throw new BadLayer(`a tar header of ${String(header.size)} bytes`);
      const extension = await reader.read(paddedSize(header.size));
      const bytes = extension.subarray(0, header.size);
      if (header.type === 'x') pax = paxFields(bytes);
      if (header.type === 'L') longName = bytes.toString('utf8').replace(/\0[^]*$/, '');
      continue;
    }
    const size = pax.has('size') ? Number(pax.get('size')) : header.size;
    if (!Number.isSafeInteger(size) || size < 0) throw new BadLayer('a member has a size that can’t be');
    const kind = header.type === '0' || header.type === '7' ? 'file' : header.type === '5' ? 'folder' : 'other';
    // Links carry a size in some archives, and never content.
    const length = ['1', '2', '3', '4', '5', '6'].includes(header.type) ? 0 : size;
    const content = new Content(reader, length);
    yield { path: cleanPath(pax.get('path') ?? longName ?? header.name), kind, content };
    if (!(await reader.skip(paddedSize(length) - content.taken))) throw new BadLayer('the archive ends inside a member');
    longName = undefined;
    pax = new Map();
  }
}

class Content implements MemberContent {
  readonly size: number;
  /** Bytes that were read by someone. */
  taken = 0;
  readonly #reader: ChunkReader;

  constructor(reader: ChunkReader, size: number) {
    this.#reader = reader;
    this.size = size;
  }

  async bytes(): Promise<Buffer> {
    const bytes = await this.#reader.read(this.size);
    this.taken += bytes.length;
    if (bytes.length < this.size) throw new BadLayer('the archive ends inside a member');
    return bytes;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#reader.pieces(this.size)) {
      this.taken += piece.byteLength;
      yield piece;
    }
  }
}

/** `12 path=a/b\n` and so on (POSIX.1-2017 pax, “pax Extended Header”). */
function paxFields(bytes: Buffer): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(at, space)));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at || at + length > bytes.length)
      throw new BadLayer('a pax header is damaged');
    const [key = '', ...value] = bytes.toString('utf8', space + 1, at + length - 1).split('=');
    fields.set(key, value.join('='));
    at += length;
  }
  return fields;
}

function cleanPath(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}
