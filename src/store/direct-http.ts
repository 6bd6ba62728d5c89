import { isBypassed } from './no-proxy.ts';
import { Receiver } from './receiver.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Bytes of an answer that is no content; behind them the connection is given up. */
const MOST_SAID = 64 * 1024;

export interface DirectAnswer {
  readonly status: number;
  /** Of an answer of 200. A chunk is good until the next one is asked for. */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** GETs of files from servers that no proxy stands before, in memory that is used again; redirects are followed. */
export class DirectHttp {
  readonly #receiver: Receiver;
  readonly #env: Readonly<Record<string, string | undefined>>;

  /** @param ca PEM, trusted besides the usual ones */
  constructor(env: Readonly<Record<string, string | undefined>>, ca: string | undefined) {
    this.#env = env;
    this.#receiver = new Receiver(ca);
  }

  /** Undefined where the library has to be asked instead: behind a proxy, or for content of a length that nobody said. */
  async get(
    start: URL,
    { authorization, ...plain }: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<DirectAnswer | undefined> {
    let url = start;
    for (let redirects = 0; isBypassed(url, this.#env); redirects++) {
      // An account is for the server that it was given for.
      const account = authorization === undefined || url.origin !== start.origin ? {} : { authorization };
      const { head, body } = await this.#receiver.get(url, { ...plain, ...account }, signal);
      const { status, headers } = head;
      if (status === 200) return body === undefined ? undefined : { status, body };
      if (body !== undefined) await discard(body);
      const next = REDIRECTS.has(status) ? target(headers.get('location'), url) : undefined;
      if (next === undefined || redirects === MAX_REDIRECTS) return { status };
      url = next;
    }
    return undefined;
  }
}

function target(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined;
  const url = new URL(location, from);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MOST_SAID) return;
  }
}
