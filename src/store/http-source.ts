import pRetry from 'p-retry';
import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import { bareUrl } from './location.ts';
import type { WebAccount } from './netrc.ts';
import { LedAstray, WebClient, type WebAnswer } from './web-client.ts';

export interface HttpSourceOptions {
  /** Milliseconds before the second attempt, doubled after each; 500 when absent. */
  readonly firstDelay?: number;
  /** PEM of a private CA that servers may also be signed by. */
  readonly ca?: string;
  /** The account for a host name. */
  readonly account?: (host: string) => Promise<WebAccount | undefined>;
}

/** What Node says of a certificate that nobody it knows has signed. */
const UNTRUSTED = /^(?:(?:DEPTH_ZERO_)?SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)|CERT_UNTRUSTED)/;

/** Reads files from http(s) URLs, through the proxies of the environment, following redirects. */
export class HttpSource {
  readonly #client: WebClient;
  readonly #firstDelay: number;
  readonly #account: NonNullable<HttpSourceOptions['account']>;

  constructor(options: HttpSourceOptions = {}) {
    this.#client = new WebClient(process.env, options.ca);
    this.#account = options.account ?? (() => Promise.resolve(undefined));
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
    return readable(location, await this.#get(location, signal), signal);
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

  async #get(location: string, signal: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> {
    const url = new URL(location);
    const login = basicAuth(url) ?? (await this.#login(url));
    // Compressed on the way would be other bytes than those that are hashed.
    const headers = { 'user-agent': 'deliver', 'accept-encoding': 'identity', ...login };
    let answer: WebAnswer;
    try {
      answer = await this.#client.get(url, headers, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof LedAstray ? astray(location, error) : broken(location, error);
    }
    if (answer.body !== undefined) return answer.body;
    throw refused(location, answer.status, login !== undefined);
  }

  async #login({ hostname }: URL): Promise<{ authorization: string } | undefined> {
    const account = await this.#account(hostname);
    return account === undefined ? undefined : basic(account.username, account.password.reveal());
  }
}

/** Marks a failure that may be gone at the next attempt. */
class Passing extends Error {}

async function* readable(
  location: string,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal?.throwIfAborted();
    throw broken(location, error);
  }
}

function basicAuth(url: URL): { authorization: string } | undefined {
  if (url.username === '' && url.password === '') return undefined;
  return basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
}

function basic(username: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

function broken(location: string, error: unknown): DeliverError {
  const code = systemCode(error);
  if (code !== undefined && UNTRUSTED.test(code)) return untrusted(location, error);
  const why = code === undefined || messageOf(error).includes(code) ? messageOf(error) : `${messageOf(error)} (${code})`;
  return new DeliverError('E_SOURCE', {
    what: `${bareUrl(location)} can’t be read.`,
    why,
    fix: 'Check the address, the network and HTTPS_PROXY / NO_PROXY.',
    cause: new Passing(messageOf(error), { cause: error }),
  });
}

function astray(location: string, cause: LedAstray): DeliverError {
  return new DeliverError('E_SOURCE', {
    what: `${bareUrl(location)} can’t be read.`,
    why: cause.message,
    fix: 'Give the address where the file really is.',
    cause,
  });
}

function untrusted(location: string, cause: unknown): DeliverError {
  return new DeliverError('E_SOURCE', {
    what: `${bareUrl(location)} can’t be read.`,
    // Behind a “;” Node tells how it is started, which is not for the packager.
    why: `Nobody who is trusted here signed its certificate (sources.ca in the release names a CA): ${messageOf(cause).split(';', 1).join('')}.`,
    fix: 'Give the CA of the server, or of the proxy that stands in between: sources.ca in the release.',
    cause,
  });
}

function refused(location: string, status: number, isLoggedIn: boolean): DeliverError {
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
      why: isLoggedIn ? `The server answered ${status} to the account that it was given.` : `The server answered ${status}.`,
      fix: `Put an account that may read it into ~/.netrc, or the file that NETRC names: machine ${new URL(location).hostname} login NAME password PASSWORD`,
    });
  }
  return new DeliverError('E_SOURCE', {
    what: `${url} can’t be read.`,
    why: `The server answered ${status}.`,
    ...(status === 429 || status >= 500 ? { cause: new Passing(`HTTP ${status}`) } : {}),
  });
}
