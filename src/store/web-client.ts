import { setTimeout as delay } from 'node:timers/promises';
import { EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { trustedContext } from '../registry/trusted-context.ts';
import { isBypassed } from './no-proxy.ts';
import { Receiver } from './receiver.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Bytes and milliseconds of an answer that is no content; behind them the connection is given up. */
const MOST_SAID = 64 * 1024;
const LONGEST_SAID = 1_000;
const CONNECT_TIMEOUT = 15_000;
/** Until the answer begins, and between two pieces of it. */
const STALL = 60_000;

type Headers = Readonly<Record<string, string>>;

export interface WebAnswer {
  readonly status: number;
  /** Of an answer of 200. A chunk is good until the next one is asked for. */
  readonly body?: AsyncIterable<Uint8Array>;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body?: AsyncIterable<Uint8Array>;
}

/** A server leads to where it can’t be followed; another try would end there as well. */
export class LedAstray extends Error {}

/** GETs from web servers: through the proxies of the environment, following redirects, nothing tried again. */
export class WebClient {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #ca: string | undefined;
  /** Taken where nothing stands in between: through the library every 64 KiB take new memory (docs/decisions/0014). */
  readonly #receiver: Receiver;
  #library: Dispatcher | undefined;

  /** @param ca PEM, trusted besides the usual ones */
  constructor(env: Readonly<Record<string, string | undefined>>, ca: string | undefined) {
    this.#env = env;
    this.#ca = ca;
    this.#receiver = new Receiver(ca);
  }

  /** @throws LedAstray; errors of connections as they are */
  async get(start: URL, { authorization, ...plain }: Headers, signal: AbortSignal | undefined): Promise<WebAnswer> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      // An account is for the server that it was given for.
      const account = authorization === undefined || url.origin !== start.origin ? {} : { authorization };
      const { status, location, body } = await this.#once(url, { ...plain, ...account }, signal);
      if (status === 200 && body !== undefined) return { status, body };
      if (body !== undefined) await discard(body);
      const next = REDIRECTS.has(status) ? target(location, url) : undefined;
      if (next === undefined) return { status };
      if (redirects === MAX_REDIRECTS) throw new LedAstray(`It redirects more than ${String(MAX_REDIRECTS)} times.`);
      url = next;
    }
  }

  async #once(url: URL, headers: Headers, signal: AbortSignal | undefined): Promise<Answer> {
    if (isBypassed(url, this.#env)) {
      const { head, body } = await this.#receiver.get(url, headers, signal);
      const answer = { status: head.status, location: head.headers.get('location') };
      if (body !== undefined) return { ...answer, body };
      // Content of a length that nobody said.
      if (head.status !== 200) return answer;
    }
    return this.#throughLibrary(url, headers, signal);
  }

  async #throughLibrary(url: URL, headers: Headers, signal: AbortSignal | undefined): Promise<Answer> {
    this.#library ??= libraryFor(this.#ca);
    const {
      statusCode,
      headers: said,
      body,
    } = await this.#library.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: statusCode, location: [said['location'] ?? []].flat()[0], body };
  }
}

function libraryFor(ca: string | undefined): Dispatcher {
  const trust = { secureContext: trustedContext(ca) };
  return new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT, ...trust },
    requestTls: trust,
    headersTimeout: STALL,
    bodyTimeout: STALL,
  });
}

/** Undefined for what is no address of a web server. @throws LedAstray for one that anybody on the way could answer for */
function target(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined;
  const url = new URL(location, from);
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new LedAstray(`It redirects to ${url.origin}, without encryption.`);
  }
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** Reads what is left of a short answer so that the connection can be used again. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await Promise.race([readShort(body), delay(LONGEST_SAID, undefined, { ref: false })]).catch(() => undefined);
}

async function readShort(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MOST_SAID) return;
  }
}
