import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import { EnvHttpProxyAgent, interceptors, type Dispatcher } from 'undici';
import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import { bareUrl } from './location.ts';

const MAX_REDIRECTS = 10;
const CONNECT_TIMEOUT = 15_000;
/** Until the answer begins, and between two pieces of it. */
const STALL = 60_000;

export interface HttpSourceOptions {
  /** Milliseconds before the second attempt, doubled after each; 500 when absent. */
  readonly firstDelay?: number;
}

/** Reads files from http(s) URLs, through the proxies of the environment, following redirects. */
export class HttpSource {
  readonly #dispatcher: Dispatcher;
  readonly #firstDelay: number;

  constructor(options: HttpSourceOptions = {}) {
    const agent = new EnvHttpProxyAgent({ connect: { timeout: CONNECT_TIMEOUT }, headersTimeout: STALL, bodyTimeout: STALL });
    this.#dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }));
    this.#firstDelay = options.firstDelay ?? 500;
  }

  /**
   * The content, from the first byte. Connections that fail and answers 429 and 5xx are tried again, three times in all.
   * @throws DeliverError E_SOURCE_NOT_FOUND, E_SOURCE_AUTH, E_SOURCE
   */
  async open(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.again(() => this.once(location, signal), signal);
  }

  /** As `open`, but one attempt only. */
  async once(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return readable(location, await this.#get(location, signal));
  }

  /** Runs a read up to three times, as long as what failed may pass. */
  async again<T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return pRetry(read, {
      retries: 2,
      minTimeout: this.#firstDelay,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: ({ error }) => isDeliverError(error) && error.cause instanceof Passing,
    });
  }

  async #get(location: string, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData['body']> {
    const url = new URL(location);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        // Compressed on the way would be other bytes than those that are hashed.
        headers: { 'user-agent': 'deliver', 'accept-encoding': 'identity', ...basicAuth(url) },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw broken(location, error);
    }
    if (answer.statusCode === 200) return answer.body;
    await discard(answer.body);
    throw refused(location, answer.statusCode);
  }
}

/** Marks a failure that may be gone at the next attempt. */
class Passing extends Error {}

async function* readable(location: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    throw broken(location, error);
  }
}

/** Reads what is left of a short answer so that the connection can be used again, but waits no longer than a second for it. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  await Promise.race([body.dump(), delay(1000, undefined, { ref: false })]).catch(() => undefined);
}

function basicAuth(url: URL): { authorization?: string } {
  if (url.username === '' && url.password === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function broken(location: string, error: unknown): DeliverError {
  const code = systemCode(error);
  const why = code === undefined || messageOf(error).includes(code) ? messageOf(error) : `${messageOf(error)} (${code})`;
  return new DeliverError('E_SOURCE', {
    what: `${bareUrl(location)} can’t be read.`,
    why,
    fix: 'Check the address, the network and HTTPS_PROXY / NO_PROXY.',
    cause: new Passing(messageOf(error), { cause: error }),
  });
}

function refused(location: string, status: number): DeliverError {
  const url = bareUrl(location);
  if (status === 404 || status === 410) {
    return new DeliverError('E_SOURCE_NOT_FOUND', {
      what: `${url} is not there.`,
      why: `The server answered ${status}.`,
      fix: 'Check the address.',
    });
  }
  if (status === 401 || status === 403) {
    return new DeliverError('E_SOURCE_AUTH', {
      what: `${url} may not be read.`,
      why: `The server answered ${status}.`,
      fix: 'Give the URL a user name and password, or take a mirror that needs none.',
    });
  }
  return new DeliverError('E_SOURCE', {
    what: `${url} can’t be read.`,
    why: `The server answered ${status}.`,
    ...(status === 429 || status >= 500 ? { cause: new Passing(`HTTP ${status}`) } : {}),
  });
}
