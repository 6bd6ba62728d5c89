const MAX_HEAD = 64 * 1024;
const NEW_LINES = Buffer.from('\r\n\r\n');

/** The head of an HTTP/1.1 answer. */
export interface Head {
  readonly status: number;
  /** By lower-case name, several of the same name joined as RFC 9110 5.3 says. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body; undefined when it is not framed by one plain Content-Length (RFC 9112 6). */
  readonly length: number | undefined;
  /** The connection stays open behind the answer (RFC 9112 9.3). */
  readonly isKept: boolean;
}

/** Gathers the head of an answer from the pieces in which it comes. */
export class HeadReader {
  #seen = Buffer.alloc(0);

  /**
   * @returns the final head and what followed it in this piece; undefined as long as there is more to come
   * @throws Error when it is no HTTP/1, or has no end
   */
  add(chunk: Uint8Array): { readonly head: Head; readonly rest: Buffer } | undefined {
    this.#seen = Buffer.concat([this.#seen, chunk]);
    for (let end = this.#seen.indexOf(NEW_LINES); end >= 0; end = this.#seen.indexOf(NEW_LINES)) {
      const head = parseHead(this.#seen.toString('latin1', 0, end));
      this.#seen = this.#seen.subarray(end + NEW_LINES.length);
      // 1xx come before the answer (RFC 9110 15.2).
      if (head.status >= 200) return { head, rest: this.#seen };
    }
    if (this.#seen.length > MAX_HEAD) throw malformed('the head of the answer has no end');
    return undefined;
  }
}

/** @param text everything before the empty line. @throws Error when it is no HTTP/1 */
export function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(first) ?? [];
  const status = Number(code);
  if (Number.isNaN(status)) throw malformed();
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, padded] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/.exec(line) ?? [];
    if (name === undefined || padded === undefined) throw malformed();
    const [key, value] = [name.toLowerCase(), padded.trim()];
    const known = headers.get(key);
    headers.set(key, known === undefined ? value : `${known}, ${value}`);
  }
  const options = (headers.get('connection') ?? '')
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  const isKept = minor === '1' ? !options.includes('close') : options.includes('keep-alive');
  return { status, headers, length: lengthOf(status, headers), isKept };
}

function lengthOf(status: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (headers.has('transfer-encoding')) return undefined;
  if (status === 204 || status === 304) return 0;
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function malformed(message = 'the answer is not HTTP/1.1'): Error {
  return Object.assign(new Error(message), { code: 'UND_ERR_SOCKET' });
}
