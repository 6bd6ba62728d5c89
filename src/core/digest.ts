import { createHash, type Hash } from 'node:crypto';
import { DeliverError } from './errors.ts';

declare const digestBrand: unique symbol;
/** `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md). */
export type Digest = string & { readonly [digestBrand]: true };

const PATTERN = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** @throws DeliverError E_REFERENCE when `text` is not a sha256 digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new DeliverError('E_REFERENCE', {
    what: `“${text}” is not a digest.`,
    why: 'A digest is sha256: and 64 lower-case hex digits.',
  });
}

/** The digest of bytes that are all in memory. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** The 64 hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Counts and hashes what passes, and says at the end whether it was what was promised. */
export class Verifier {
  readonly #hash: Hash = createHash('sha256');
  #seen = 0;
  readonly #expected: { readonly digest: Digest; readonly size: number };
  readonly #source: string;

  /** @param source where the bytes come from, for the error message. */
  constructor(expected: { readonly digest: Digest; readonly size: number }, source: string) {
    this.#expected = expected;
    this.#source = source;
  }

  /** @throws DeliverError E_SIZE as soon as more bytes arrive than were promised. */
  update(chunk: Uint8Array): void {
    this.#seen += chunk.byteLength;
    if (this.#seen > this.#expected.size) throw this.#wrongSize('more');
    this.#hash.update(chunk);
  }

  /** @throws DeliverError E_SIZE or E_DIGEST when the bytes were not those that were promised. */
  finish(): void {
    refuseOther(this.#expected, { size: this.#seen, digest: `sha256:${this.#hash.digest('hex')}` }, this.#source);
  }

  #wrongSize(got: string): DeliverError {
    return wrongSize(this.#expected, got, this.#source);
  }
}

interface Content {
  readonly digest: string;
  readonly size: number;
}

/** @throws DeliverError E_SIZE or E_DIGEST when what was found is not what was promised. */
export function refuseOther(expected: Content, found: Content, source: string): void {
  if (found.size !== expected.size) throw wrongSize(expected, String(found.size), source);
  if (found.digest === expected.digest) return;
  throw new DeliverError('E_DIGEST', {
    what: `The content of ${source} is not what was promised.`,
    why: `expected ${expected.digest}\ngot      ${found.digest}`,
  });
}

/** The error for content of another size. @param got how many bytes, or “more” */
export function wrongSize(expected: Content, got: string, source: string): DeliverError {
  return new DeliverError('E_SIZE', {
    what: `The size of ${source} is not what was promised.`,
    why: `expected ${String(expected.size)} bytes, got ${got}:\n${expected.digest}`,
  });
}

/**
 * The same bytes, verified: the stream ends only after size and digest were checked, so a consumer
 * that reached the end holds what was promised.
 */
export async function* verified(
  bytes: AsyncIterable<Uint8Array>,
  expected: { readonly digest: Digest; readonly size: number },
  source: string,
): AsyncGenerator<Uint8Array> {
  const verifier = new Verifier(expected, source);
  for await (const chunk of bytes) {
    verifier.update(chunk);
    yield chunk;
  }
  verifier.finish();
}
