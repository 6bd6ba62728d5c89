import { posix } from 'node:path';
import { readAt, type ByteSource } from '../../bundle/byte-source.ts';
import { decodeTarHeader, isZeroBlock, paddedSize, TAR_BLOCK } from '../../core/tar-header.ts';
import { badArchive } from './archive-error.ts';

/** A regular file in a tar: where its bytes lie. */
export interface TarMember {
  readonly offset: number;
  readonly size: number;
}

/** Fields of extension headers that change what the next header says (POSIX pax; GNU `L` and `K`). */
interface Extension {
  path?: string;
  linkpath?: string;
  size?: number;
}

/** Bytes of an extension header that is read; names longer than that are no names. */
const MAX_EXTENSION = 1024 * 1024;
/** An image has a hundred; whoever has more than this means harm. */
const MAX_MEMBERS = 100_000;
const MAX_LINKS = 8;

const COMPRESSED: readonly { readonly magic: string; readonly by: string; readonly undo: string }[] = [
  { magic: '1f8b', by: 'gzip', undo: 'gunzip' },
  { magic: '28b52ffd', by: 'zstd', undo: 'unzstd' },
  { magic: '425a68', by: 'bzip2', undo: 'bunzip2' },
  { magic: 'fd377a58', by: 'xz', undo: 'unxz' },
];

/**
 * The regular files of a tar by name, links followed, the last of a name as tar itself has it. Reads headers only.
 * @param where the archive, for messages
 * @throws DeliverError E_ARCHIVE
 */
export async function tarMembers(source: ByteSource, where: string): Promise<ReadonlyMap<string, TarMember>> {
  const files = new Map<string, TarMember>();
  const links = new Map<string, string>();
  let extension: Extension = {};
  let count = 0;
  for (let at = 0; ;) {
    const block = await readAt(source, at, TAR_BLOCK);
    if (block.length === 0 && at > 0) break;
    if (block.length === TAR_BLOCK && isZeroBlock(block) && at > 0) break;
    const header = decodeTarHeader(block);
    if ('problem' in header) throw notATar(where, block, at, header.problem);
    if (++count > MAX_MEMBERS) throw badArchive(where, `it has more than ${String(MAX_MEMBERS)} members`);
    const offset = at + TAR_BLOCK;
    const isExtension = 'xgLK'.includes(header.type);
    const size = isExtension ? header.size : (extension.size ?? header.size);
    const name = cleanName(extension.path ?? header.name);
    if (offset + size > source.size)
      throw badArchive(where, `it is cut off: it ends at byte ${String(source.size)}, inside ${name}`, 'Make it again.');
    at = offset + paddedSize(size);
    if (isExtension) {
      extension = { ...extension, ...(await readExtension(source, { offset, size }, header.type, where)) };
      continue;
    }
    if (header.type === '0' || header.type === '7') files.set(name, { offset, size });
    else if (header.type === '1') links.set(name, cleanName(extension.linkpath ?? linkName(block)));
    else if (header.type === '2')
      links.set(name, cleanName(posix.join(posix.dirname(name), extension.linkpath ?? linkName(block))));
    else if (header.type === 'S') throw badArchive(where, `its member ${name} is sparse`, 'Make it again without --sparse.');
    extension = {};
  }
  for (const name of links.keys()) {
    const target = followed(name, files, links);
    if (target !== undefined && !files.has(name)) files.set(name, target);
  }
  return files;
}

/** `docker save` of old links a layer that is in it twice. */
function followed(
  name: string,
  files: ReadonlyMap<string, TarMember>,
  links: ReadonlyMap<string, string>,
): TarMember | undefined {
  let at: string | undefined = name;
  for (let hops = 0; hops < MAX_LINKS && at !== undefined; hops++) {
    at = links.get(at);
    const file = at === undefined ? undefined : files.get(at);
    if (file !== undefined) return file;
  }
  return undefined;
}

async function readExtension(source: ByteSource, member: TarMember, type: string, where: string): Promise<Extension> {
  if (member.size > MAX_EXTENSION) throw badArchive(where, 'it has an extension header of more than a mebibyte');
  const bytes = await readAt(source, member.offset, member.size);
  if (type === 'L') return { path: untilZero(bytes) };
  if (type === 'K') return { linkpath: untilZero(bytes) };
  return type === 'x' ? paxFields(bytes, where) : {};
}

/** Records of “length key=value” (POSIX.1-2017 pax, “pax Header Block”). */
function paxFields(bytes: Buffer, where: string): Extension {
  const fields: Extension = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > bytes.length)
      throw badArchive(where, 'it has a malformed pax header');
    const [, key = '', value = ''] = /^([^=]*)=(.*)\n$/s.exec(bytes.toString('utf8', space + 1, at + length)) ?? [];
    if (key === 'path') fields.path = value;
    if (key === 'linkpath') fields.linkpath = value;
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) throw badArchive(where, 'it has a malformed pax header');
      fields.size = Number(value);
    }
    at += length;
  }
  return fields;
}

function untilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function linkName(block: Buffer): string {
  return untilZero(block.subarray(157, 257));
}

function cleanName(name: string): string {
  return posix
    .normalize(name)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/$/, '');
}

function notATar(where: string, block: Buffer, at: number, problem: string): Error {
  if (at > 0) return badArchive(where, `it is damaged at byte ${String(at)}: ${problem}`, 'Make it again.');
  const packed = COMPRESSED.find(({ magic }) => block.toString('hex', 0, magic.length / 2) === magic);
  if (packed === undefined) return badArchive(where, block.length === 0 ? 'it is empty' : 'it is not a tar archive');
  return badArchive(
    where,
    `it is compressed by ${packed.by}, and blobs are read from their places in it`,
    `Uncompress it first: ${packed.undo} FILE.`,
  );
}
