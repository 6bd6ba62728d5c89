import { decodeTarHeader, isZeroBlock, paddedSize, TAR_BLOCK, type TarHeader } from '../core/tar-header.ts';
import { readAt, type ByteSource } from './byte-source.ts';

/** A hostile archive can be wrong in a million places; a person needs the first few. */
const MOST_PROBLEMS = 100;

const TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a directory',
  '6': 'a pipe',
  '7': 'a contiguous file',
  x: 'a PAX extension',
  g: 'a global PAX extension',
  L: 'a GNU long name',
  K: 'a GNU long link name',
  S: 'a GNU sparse file',
  D: 'a GNU directory dump',
  M: 'a continued GNU volume',
  V: 'a GNU volume label',
};

export interface WalkFrom {
  readonly offset: number;
  /** Names that may come, when the lock is known. */
  readonly known?: ReadonlySet<string>;
  /** Names that came before `offset`. */
  readonly seen?: Iterable<string>;
}

/** Goes from header to header of an archive that is no proper bundle, and says everything that is wrong with it. */
export async function walkProblems(source: ByteSource, from: WalkFrom): Promise<readonly string[]> {
  const problems: string[] = [];
  const seen = new Set(from.seen);
  let at = from.offset;
  while (problems.length < MOST_PROBLEMS) {
    const block = await readAt(source, at, TAR_BLOCK);
    if (block.length === TAR_BLOCK && isZeroBlock(block)) return [...problems, ...(await endProblems(source, at))];
    if (block.length === 0) return [...problems, 'the archive ends without the two zero blocks that close it'];
    const header = decodeTarHeader(block);
    if ('problem' in header) return [...problems, `the header at byte ${String(at)} can't be read: ${header.problem}`];
    problems.push(...memberProblems(header, seen, from.known));
    const next = at + TAR_BLOCK + paddedSize(header.size);
    if (next > source.size)
      return [...problems, `${quoted(header.name)} says ${String(header.size)} bytes, but the file ends before`];
    seen.add(header.name);
    at = next;
  }
  return [...problems, 'and more'];
}

function memberProblems(header: TarHeader, seen: ReadonlySet<string>, known: ReadonlySet<string> | undefined): readonly string[] {
  const name = quoted(header.name);
  const problems: string[] = [];
  if (header.type !== '0') problems.push(`${name} is ${TYPES[header.type] ?? `of the unknown type “${header.type}”`}`);
  if (header.name.startsWith('/')) problems.push(`${name} has an absolute name`);
  if (header.name.split('/').includes('..')) problems.push(`${name} has “..” in its name`);
  if (seen.has(header.name)) problems.push(`${name} is there twice`);
  if (problems.length === 0 && known?.has(header.name) === false) problems.push(`${name} is not in the lock`);
  return problems;
}

async function endProblems(source: ByteSource, at: number): Promise<readonly string[]> {
  const end = await readAt(source, at, 2 * TAR_BLOCK);
  if (end.length < 2 * TAR_BLOCK || !isZeroBlock(end))
    return [`the archive is not closed by two zero blocks at byte ${String(at)}`];
  const trailing = source.size - at - 2 * TAR_BLOCK;
  return trailing === 0 ? [] : [`${String(trailing)} bytes follow the end of the archive at byte ${String(at + 2 * TAR_BLOCK)}`];
}

/** A name from outside, safe to print. */
export function quoted(name: string): string {
  return `“${name.replace(/[^\x20-\x7e]/g, '?')}”`;
}
