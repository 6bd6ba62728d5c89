import { basename } from 'node:path';
import { DeliverError } from '../core/errors.ts';

/** First bytes of a pack that was not finished: they stand where a bundle has its first header, so that nobody takes it for one. */
export const UNFINISHED = Buffer.from('deliver: unfinished pack, not a bundle\n');

const KINDS: readonly { readonly at: number; readonly magic: Buffer; readonly kind: string }[] = [
  { at: 0, magic: Buffer.from([0x1f, 0x8b]), kind: 'gzip data; a bundle is not compressed' },
  { at: 0, magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), kind: 'zstd data; a bundle is not compressed' },
  { at: 0, magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), kind: 'xz data; a bundle is not compressed' },
  { at: 0, magic: Buffer.from('BZh'), kind: 'bzip2 data; a bundle is not compressed' },
  { at: 0, magic: Buffer.from('PK'), kind: 'a zip archive' },
  { at: 0, magic: Buffer.from('\x7fELF'), kind: 'a program' },
  { at: 0, magic: Buffer.from('<'), kind: 'a web page or XML' },
  { at: 0, magic: Buffer.from('{'), kind: 'JSON' },
  { at: 257, magic: Buffer.from('ustar'), kind: 'a tar archive of another kind' },
];

/**
 * The error for a file that can't be a bundle by its name or first bytes, undefined when it may be one.
 * @param head the first 512 bytes, or all when there are fewer
 */
export function foreignFile(path: string, head: Uint8Array): DeliverError | undefined {
  const name = basename(path);
  const bytes = Buffer.from(head);
  if (name.endsWith('.part') || bytes.subarray(0, UNFINISHED.length).equals(UNFINISHED)) {
    return new DeliverError('E_BUNDLE', {
      what: `${path} is a partial file of an unfinished pack.`,
      fix: 'Run the same deliver pack command again: it goes on where it stopped.',
    });
  }
  if (bytes.length === 0) return notABundle(path, 'it is empty');
  if (bytes.toString('latin1', 0, 11) === 'oci-layout\0') return undefined;
  const kind = KINDS.find(({ at, magic }) => bytes.subarray(at, at + magic.length).equals(magic))?.kind;
  return notABundle(path, kind === undefined ? 'it does not start with the member oci-layout' : `it starts like ${kind}`);
}

function notABundle(path: string, why: string): DeliverError {
  return new DeliverError('E_BUNDLE', {
    what: `${path} is not a bundle.`,
    why: `${why}.`,
    fix: 'Give a file that deliver pack wrote.',
  });
}
