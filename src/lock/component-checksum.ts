import { posix } from 'node:path';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { FileSource } from '../store/port.ts';
import type { NeededComponent } from './component-files.ts';
import { gatherUpTo } from './small-blob.ts';

/** What upstream says that a program is. */
export interface PublishedChecksum {
  readonly algorithm: 'sha256' | 'md5';
  /** Lower case. */
  readonly hex: string;
  readonly url: string;
}

/** A list of checksums is never larger; what is, is another thing. */
const MAX_BYTES = 4 * 1024 * 1024;
const HEX_LENGTH = { sha256: 64, md5: 32 } as const;

/**
 * The checksum that stands beside a program, undefined when there is none.
 * @throws DeliverError E_SOURCE* when it can’t be read, or what stands there is no checksum of this program
 */
export async function publishedChecksum(
  { checksum, source, title }: NeededComponent,
  files: FileSource,
  signal?: AbortSignal,
): Promise<PublishedChecksum | undefined> {
  if (checksum === undefined) return undefined;
  const { url, algorithm, ofMany } = checksum;
  const text = await readText(url, files, signal).catch((error: unknown) => {
    if (isDeliverError(error, 'E_SOURCE_NOT_FOUND')) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const names = new Set([posix.basename(new URL(source).pathname), title]);
  const entries = checksumsIn(text, algorithm);
  const [only] = entries.length === 1 ? entries : [];
  // A file beside one program speaks of that one; a list of many has to name it.
  const found = ofMany ? entries.find(({ name }) => names.has(name)) : (only ?? entries.find(({ name }) => names.has(name)));
  if (found !== undefined) return { algorithm, hex: found.hex, url };
  throw new DeliverError('E_SOURCE', {
    what: `${url} holds no ${algorithm} of ${title}.`,
    why: 'It should be the checksum that upstream publishes beside the program.',
    fix: 'Mirror that file too, or remove it there: then only the lock pins the program.',
  });
}

/** The lines of a checksum file: a bare `hex`, `hex  name`, `hex *name`, or `SHA256 (name) = hex`. */
export function checksumsIn(text: string, algorithm: 'sha256' | 'md5'): { readonly name: string; readonly hex: string }[] {
  const hex = `[0-9a-fA-F]{${String(HEX_LENGTH[algorithm])}}`;
  const plain = new RegExp(`^\\\\?(${hex})(?:\\s+\\*?(\\S.*))?$`);
  const tagged = new RegExp(`^${algorithm}\\s*\\((.+)\\)\\s*=\\s*(${hex})$`, 'i');
  return text.split(/\r?\n/).flatMap((line) => {
    const one = plain.exec(line.trim());
    if (one !== null) return [{ name: posix.basename(one[2] ?? ''), hex: (one[1] ?? '').toLowerCase() }];
    const other = tagged.exec(line.trim());
    return other === null ? [] : [{ name: posix.basename(other[1] ?? ''), hex: (other[2] ?? '').toLowerCase() }];
  });
}

async function readText(url: string, files: FileSource, signal: AbortSignal | undefined): Promise<string> {
  return (await gatherUpTo(await files.open(url, signal), MAX_BYTES))?.toString('utf8') ?? '';
}
