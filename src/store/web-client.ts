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
  /** One header, several of the same name joined as RFC 9110 5.3 says. */
  readonly header: (name: string) => string | undefined;
  /** Of an answer of 200, or 206 where a range was asked for. A chunk is good until the next one is asked for. */
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
  readonly #stall: number;
  #library: Dispatcher | undefined;

  /**
   * @param ca PEM, trusted besides the usual ones
   * @param stall milliseconds until an answer begins, and between two pieces of it
   */
  constructor(env: Readonly<Record<string, string | undefined>>, ca: string | undefined, stall = STALL) {
    this.#env = env;
    this.#ca = ca;
    this.#stall = stall;
    this.#receiver = new Receiver(ca, stall);
  }

  /** @throws LedAstray; errors of connections as they are */
  async get(start: URL, { authorization, ...plain }: Headers, signal: AbortSignal | undefined): Promise<WebAnswer> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      // An account is for the server that it was given for.
      const account = authorization === undefined || url.origin !== start.origin ? {} : { authorization };
      const { status, header, body } = await this.#once(url, { ...plain, ...account }, signal);
      const isContent = status === 200 || (status === 206 && 'range' in plain);
      if (isContent && body !== undefined) return { status, header, body };
      if (body !== undefined) await discard(body);
      const next = REDIRECTS.has(status) ? target(header('location'), url) : undefined;
      if (next === undefined) return { status, header };
      if (redirects === MAX_REDIRECTS) throw new LedAstray(`It redirects more than ${String(MAX_REDIRECTS)} times.`);
      url = next;
    }
  }

  async #once(url: URL, headers: Headers, signal: AbortSignal | undefined): Promise<WebAnswer> {
    if (isBypassed(url, this.#env)) {
      const { head, body } = await this.#receiver.get(url, headers, signal);
      const answer = { status: head.status, header: (name: string) => head.headers.get(name) };
      if (body !== undefined) return { ...answer, body };
      // Content of a length that nobody said.
      if (head.status !== 200 && head.status !== 206) return answer;
    }
    return this.#throughLibrary(url, headers, signal);
  }

  async #throughLibrary(url: URL, headers: Headers, signal: AbortSignal | undefined): Promise<WebAnswer> {
    this.#library ??= libraryFor(this.#ca, this.#stall);
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
    return { status: statusCode, header: (name) => [said[name] ?? []].flat()[0], body };
  }
}

function libraryFor(ca: string | undefined, stall: number): Dispatcher {
  const trust = { secureContext: trustedContext(ca) };
  return new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT, ...trust },
    requestTls: trust,
    headersTimeout: stall,
    bodyTimeout: stall,
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
export async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await Promise.race([readShort(body), delay(LONGEST_SAID, undefined, { ref: false })]).catch(() => undefined);
}

async function readShort(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MOST_SAID) return;
  }
}
