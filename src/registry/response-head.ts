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

/** @param text everything before the empty line. @throws Error when it is no HTTP/1 */
export function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(first) ?? [];
  const status = Number(code);
  if (Number.isNaN(status)) throw malformed();
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed();
    const key = name.toLowerCase();
    const known = headers.get(key);
    headers.set(key, known === undefined ? value : `${known}, ${value}`);
  }
  const options = (headers.get('connection') ?? '').toLowerCase().split(/[ \t]*,[ \t]*/);
  const isKept = minor === '1' ? !options.includes('close') : options.includes('keep-alive');
  return { status, headers, length: lengthOf(status, headers), isKept };
}

function lengthOf(status: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (headers.has('transfer-encoding')) return undefined;
  if (status === 204 || status === 304) return 0;
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function malformed(): Error {
  return Object.assign(new Error('the answer is not HTTP/1.1'), { code: 'UND_ERR_SOCKET' });
}
