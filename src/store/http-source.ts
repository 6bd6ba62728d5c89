import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import { isPassingAnswer, isPassingBreak, retryAfterMs } from '../core/passing.ts';
import { DEFAULT_RETRY, retried } from '../core/retried.ts';
import { bareUrl } from './location.ts';
import type { WebAccount } from './netrc.ts';
import { openResumed, type Rest } from './resumed-file.ts';
import { discard, LedAstray, WebClient, type WebAnswer } from './web-client.ts';

export interface HttpSourceOptions {
  /** Milliseconds before the second attempt, doubled after each; as for registries when absent. */
  readonly firstDelay?: number;
  /** Milliseconds until an answer begins, and between two pieces of it; a minute when absent. */
  readonly stall?: number;
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
    this.#client = new WebClient(process.env, options.ca, options.stall);
    this.#account = options.account ?? (() => Promise.resolve(undefined));
    this.#firstDelay = options.firstDelay ?? DEFAULT_RETRY.firstDelay;
  }

  /**
   * The content, from the first byte. Connections that fail and answers 429 and 5xx are tried again, as with registries; one that
   * breaks in the middle is gone on with where it broke.
   * @throws DeliverError E_SOURCE_NOT_FOUND, E_SOURCE_AUTH, E_SOURCE
   */
  async open(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return openResumed({
      name: bareUrl(location),
      ask: (rest) => this.#ask(location, rest, signal),
      discard,
      isPassing,
      explained: (error) => Promise.resolve(explained(location, error, signal)),
      firstDelay: this.#firstDelay,
      signal,
    });
  }

  async #ask(location: string, rest: Rest | undefined, signal: AbortSignal | undefined): Promise<WebAnswer> {
    try {
      const policy = { ...DEFAULT_RETRY, firstDelay: this.#firstDelay };
      return await retried(policy, signal, () => this.#get(location, rest, signal), { isPassing, wait });
    } catch (error) {
      throw explained(location, error, signal);
    }
  }

  async #get(location: string, rest: Rest | undefined, signal: AbortSignal | undefined): Promise<WebAnswer> {
    const url = new URL(location);
    const login = basicAuth(url) ?? (await this.#login(url));
    const range = rest === undefined ? {} : { range: `bytes=${String(rest.offset)}-`, 'if-range': rest.validator.text };
    // Compressed on the way would be other bytes than those that are hashed.
    const headers = { 'user-agent': 'deliver', 'accept-encoding': 'identity', ...range, ...login };
    const answer = await this.#client.get(url, headers, signal);
    const { status, body } = answer;
    if (body !== undefined || (status === 416 && rest !== undefined)) return answer;
    throw new Refused(status, retryAfterMs(answer.header('retry-after')), login !== undefined);
  }

  async #login({ hostname }: URL): Promise<{ authorization: string } | undefined> {
    const account = await this.#account(hostname);
    return account === undefined ? undefined : basic(account.username, account.password.reveal());
  }
}

/** An answer that is no content. */
class Refused extends Error {
  readonly status: number;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;
  readonly isLoggedIn: boolean;

  constructor(status: number, retryAfter: number | undefined, isLoggedIn: boolean) {
    super(`HTTP ${String(status)}`);
    this.status = status;
    this.retryAfter = retryAfter;
    this.isLoggedIn = isLoggedIn;
  }
}

function isPassing(error: unknown): boolean {
  if (isDeliverError(error)) return false;
  return error instanceof Refused ? isPassingAnswer(error.status, error.retryAfter) : isPassingBreak(error);
}

function wait(error: unknown): number | undefined {
  return error instanceof Refused ? error.retryAfter : undefined;
}

/** What a person is told; errors of ours and an interruption pass as they are. */
function explained(location: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (isDeliverError(error)) return error;
  if (error instanceof Refused) return refused(location, error);
  return error instanceof LedAstray ? astray(location, error) : broken(location, error);
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
    cause: error,
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

function refused(location: string, cause: Refused): DeliverError {
  const { status, isLoggedIn } = cause;
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
    cause,
  });
}
