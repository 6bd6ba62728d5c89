import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import { MEDIA } from '../core/oci.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { madeBlob, type MadeBlob } from './artifact.ts';
import { omittable } from './delta.ts';
import { indexPins } from './index-json.ts';

/**
 * The content of a bundle as plain text, pinned by the release manifest, for readers that can't parse JSON (verify.sh):
 * one line on index.json, then one line “hex size” per content member in file order; a third word marks what a delta may
 * leave out. docs/format-signatures.md has its grammar.
 */
export function contentsList(lock: Lock, content: readonly { readonly digest: Digest; readonly size: number }[]): MadeBlob {
  const { reference, text } = indexPins(lock);
  const index = `deliver-contents/v1 ${reference} ${hexOf(digestOf(text))} ${String(Buffer.byteLength(text))}`;
  const optional = omittable(lock);
  const lines = content.map(
    ({ digest, size }) => `${hexOf(digest)} ${String(size)}${optional.has(digest) ? ' may-be-left-out' : ''}`,
  );
  return madeBlob(MEDIA.contents, [index, ...lines, ''].join('\n'));
}
