import { DEFAULT_RETRY, type RetryPolicy } from '../core/retried.ts';
import { Authenticator } from './authenticator.ts';
import { explain } from './errors.ts';
import type { HttpAnswer, HttpCall } from './http-call.ts';
import { createHttpClient, discard, type HttpClient } from './http-client.ts';
import { HttpProblem, problemOf } from './http-problem.ts';
import type { RegistryOptions } from './options.ts';
import { retried } from './retry.ts';
import { TransferThreads, type TransferThread } from './transfer-threads.ts';

export interface SessionCall {
  readonly method: HttpCall['method'];
  /** Path and query below the registry's own origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly scopes: readonly string[];
  /** Statuses that the caller deals with; any other is thrown. */
  readonly accept: readonly number[];
  readonly signal?: AbortSignal | undefined;
  readonly answerWithin?: number;
  readonly thread?: TransferThread;
}

const MAX_REDIRECTS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Requests to one registry: authenticated, retried, redirected. Throws HttpProblem and connection errors; `explained` makes them readable. */
export class Session {
  readonly options: RegistryOptions;
  readonly retry: RetryPolicy;
  /** Threads that receive its large answers. */
  readonly threads: TransferThreads;
  readonly #ownThreads: TransferThreads | undefined;
  readonly #client: HttpClient;
  readonly #authenticator: Authenticator;

  /** @param shared threads that receive for other sessions too, and that those end who made them */
  constructor(options: RegistryOptions, shared?: TransferThreads) {
    this.options = options;
    this.threads = shared ?? new TransferThreads();
    this.#ownThreads = shared === undefined ? this.threads : undefined;
    this.retry = options.retry ?? DEFAULT_RETRY;
    this.#client = createHttpClient(options);
    this.#authenticator = new Authenticator(this.#client, options.account);
  }

  call(call: SessionCall): Promise<HttpAnswer> {
    return retried(this.retry, call.signal, () => this.#authenticated(call));
  }

  /** One try, for a body that can't be sent again. Credentials that a 401 asks for are renewed for the next try. */
  async once(call: Omit<SessionCall, 'body'> & { readonly body?: HttpCall['body'] }): Promise<HttpAnswer> {
    const authorization = await this.#authenticator.header(call.scopes, call.signal);
    const answer = await this.#send(call, this.#url(call.path), authorization, call.body);
    if (call.accept.includes(answer.status)) return answer;
    const renewed =
      answer.status === 401 && (await this.#authenticator.refused(answer.header('www-authenticate'), call.scopes, authorization));
    throw Object.assign(await problemOf(answer), { renewed });
  }

  /** Runs `work`; what it throws becomes a DeliverError that says what was being done. */
  async explained<T>(doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.explanation(doing, signal, error);
    }
  }

  async explanation(doing: string, signal: AbortSignal | undefined, error: unknown): Promise<unknown> {
    if (signal?.aborted === true) return signal.reason;
    const account = await this.#authenticator.account().catch(() => undefined);
    return explain(error, { ...this.options, doing, base: this.#client.base, user: account?.username });
  }

  /** Whether threads can reach the registry as this one does. */
  get isDirect(): boolean {
    return this.#client.isDirect;
  }

  async close(): Promise<void> {
    await Promise.all([this.#ownThreads?.close(), this.#client.close()]);
  }

  async #authenticated(call: SessionCall): Promise<HttpAnswer> {
    // Unknown → challenged → token refused → fresh token: three tries at most.
    for (let round = 1; ; round++) {
      const authorization = await this.#authenticator.header(call.scopes, call.signal);
      const answer = await this.#followed(call, authorization);
      if (call.accept.includes(answer.status)) return answer;
      if (answer.status === 401 && round < 3) {
        const again = await this.#authenticator.refused(answer.header('www-authenticate'), call.scopes, authorization);
        if (again) {
          await discard(answer);
          continue;
        }
      }
      throw await problemOf(answer);
    }
  }

  async #followed(call: SessionCall, authorization: string | undefined): Promise<HttpAnswer> {
    let url = this.#url(call.path);
    let answer = await this.#send(call, url, authorization, call.body);
    for (let hop = 0; hop < MAX_REDIRECTS && REDIRECTS.includes(answer.status); hop++) {
      const location = answer.header('location');
      if (location === undefined || !['GET', 'HEAD'].includes(call.method)) return answer;
      await discard(answer);
      url = new URL(location, url);
      // A blob is checked by its digest afterwards; what a tag means is not.
      if (url.protocol === 'http:' && this.#client.base.protocol === 'https:' && !call.path.includes('/blobs/')) {
        throw new HttpProblem(answer.status, { code: '', text: `it redirects to ${url.origin}, without encryption` });
      }
      // Storage behind a registry is another party: it gets a signed URL, never the account.
      answer = await this.#send(call, url, url.origin === this.#client.base.origin ? authorization : undefined);
    }
    return answer;
  }

  #send(
    call: Omit<SessionCall, 'body'>,
    url: URL,
    authorization: string | undefined,
    body?: HttpCall['body'],
  ): Promise<HttpAnswer> {
    return this.#client.send({
      method: call.method,
      url,
      headers: { ...call.headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(body === undefined ? {} : { body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(call.answerWithin === undefined ? {} : { answerWithin: call.answerWithin }),
      ...(call.thread === undefined ? {} : { thread: call.thread }),
    });
  }

  #url(path: string): URL {
    return new URL(path, this.#client.base);
  }
}
