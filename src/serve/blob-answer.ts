import type { Bundle } from '../bundle/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { bytesAnswer, errorAnswer } from './answers.ts';
import { parseRange } from './byte-range.ts';
import type { ServeAnswer, ServeRequest } from './port.ts';

export type BlobBundle = Pick<Bundle, 'blobs' | 'stream' | 'range' | 'check'>;

/** Blobs of a bundle as answers. A whole blob is verified while it is sent; of a part, the whole is verified once before. */
export class BlobAnswers {
  readonly #bundle: BlobBundle;
  /** Checks that succeeded or are under way. */
  readonly #checked = new Map<Digest, Promise<void>>();

  constructor(bundle: BlobBundle) {
    this.#bundle = bundle;
  }

  /** @throws DeliverError E_DIGEST, E_SIZE, E_FILE_UNREADABLE when a part is asked for of a blob that is damaged */
  async answer(digest: Digest, size: number, request: ServeRequest, signal: AbortSignal): Promise<ServeAnswer> {
    const headers = { 'Docker-Content-Digest': digest, 'Accept-Ranges': 'bytes' };
    const whole = { ...bytesAnswer(new Uint8Array(), 'application/octet-stream', headers), body: this.#whole(digest, size) };
    const full = { ...whole, headers: { ...whole.headers, 'Content-Length': String(size) } };
    // Ranges are for GET alone. No validator is ever sent, so none that If-Range names can match: RFC 9110, 13.1.5.
    if (request.method !== 'GET' || request.ifRange !== undefined) return full;
    const range = parseRange(request.range, size);
    if (range === 'whole') return full;
    if (range === 'unsatisfiable')
      return errorAnswer('RANGE_INVALID', `the blob has ${String(size)} bytes`, { 'Content-Range': `bytes */${String(size)}` });
    const { start, length } = range;
    const part = {
      ...full.headers,
      'Content-Length': String(length),
      'Content-Range': `bytes ${String(start)}-${String(start + length - 1)}/${String(size)}`,
    };
    if (length === size) return { ...full, status: 206, headers: part };
    await this.#verify(digest, signal);
    const open = (at: AbortSignal): AsyncIterable<Uint8Array> => this.#bundle.range(digest, start, length, at);
    return { status: 206, headers: part, body: { digest, start, length, open } };
  }

  #whole(digest: Digest, size: number): NonNullable<ServeAnswer['body']> {
    return { digest, start: 0, length: size, open: (signal) => this.#bundle.stream(digest, signal, 'reused') };
  }

  /** Once for all who ask: nobody's going away stops it for the others. */
  async #verify(digest: Digest, signal: AbortSignal): Promise<void> {
    let check = this.#checked.get(digest);
    if (check === undefined) {
      check = this.#bundle.check(digest, () => undefined, new AbortController().signal);
      this.#checked.set(digest, check);
      // Not remembered: a medium may be put in again.
      check.catch(() => this.#checked.delete(digest));
    }
    await check;
    signal.throwIfAborted();
  }
}
