import { StringDecoder } from 'node:string_decoder';

/** Characters of one paragraph of a package database; the longest of Debian have some 100 KB. */
const MOST = 1024 * 1024;

/** The paragraphs of a text that come in pieces: what lies between empty lines. What is longer than a paragraph may be is cut. */
export async function* stanzasOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const piece of pieces) {
    const parts = (rest + decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))).split(/\n[ \t]*\n+/);
    rest = (parts.pop() ?? '').slice(0, MOST);
    yield* parts;
  }
  yield rest + decoder.end();
}

/** A copy of its own: a part of a text keeps the whole text in memory. */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
