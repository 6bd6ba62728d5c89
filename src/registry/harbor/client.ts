import type { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';
import { DEFAULT_RETRY } from '../../core/retried.ts';
import { basicHeader } from '../basic.ts';
import { explain } from '../errors.ts';
import type { HttpCall } from '../http-call.ts';
import { createHttpClient, readAll, type HttpClient } from '../http-client.ts';
import { HttpProblem, parseJson, problemOf } from '../http-problem.ts';
import type { RegistryOptions } from '../options.ts';
import type { RegistryAccount } from '../port.ts';
import { retried } from '../retry.ts';

export interface HarborCall {
  readonly method: HttpCall['method'];
  /** Below /api/v2.0. */
  readonly path: string;
  readonly json?: unknown;
  readonly accept: readonly number[];
  /** Goes on after “could not”. */
  readonly doing: string;
}

export interface HarborAnswer {
  readonly status: number;
  /** Parsed body; undefined when it is not JSON. */
  readonly body: unknown;
  /** The list that this is a page of goes on. */
  readonly more: boolean;
}

const MAX_ANSWER = 8 * 1024 * 1024;
/** Harbor gives no more entries at once. */
const PAGE = 100;
/** A list that is longer than this is not read on: ten thousand entries. */
const MAX_PAGES = 100;

/** Stands for what a client that only looks would have written. */
export class WouldWrite extends Error {}

/** Harbor's API: Basic on every call and no cookies, because a session cookie brings CSRF checks along. */
export class HarborClient {
  readonly #http: HttpClient;
  readonly #options: RegistryOptions;
  readonly #looksOnly: boolean;
  #account: Promise<RegistryAccount | undefined> | undefined;

  /** @param looksOver the connections of another client; this one then only looks */
  constructor(options: RegistryOptions, looksOver?: HttpClient) {
    this.#options = options;
    this.#looksOnly = looksOver !== undefined;
    this.#http = looksOver ?? createHttpClient(options);
  }

  /** The same over the same connections, whose every call that would write something throws `WouldWrite` instead. */
  looking(): HarborClient {
    return new HarborClient(this.#options, this.#http);
  }

  get host(): string {
    return this.#options.host;
  }

  account(): Promise<RegistryAccount | undefined> {
    const { account } = this.#options;
    this.#account ??= typeof account === 'function' ? account() : Promise.resolve(account);
    return this.#account;
  }

  /** @throws DeliverError E_HARBOR, E_REGISTRY* */
  async call(call: HarborCall): Promise<HarborAnswer> {
    if (this.#looksOnly && call.method !== 'GET' && call.method !== 'HEAD') throw new WouldWrite(call.doing);
    const account = await this.account();
    try {
      return await retried(this.#options.retry ?? DEFAULT_RETRY, undefined, () => this.#once(call, account));
    } catch (error) {
      const explained = explain(error, { ...this.#options, base: this.#http.base, doing: call.doing, user: account?.username });
      throw error instanceof HttpProblem && error.status === 403 ? forbidden(explained, account) : explained;
    }
  }

  /** The pages of a list in their order, each asked for when the one before is done with. */
  async *pages(
    path: string,
    query: Readonly<Record<string, string>>,
    { doing, accept = [200] }: Pick<HarborCall, 'doing'> & Partial<Pick<HarborCall, 'accept'>>,
  ): AsyncGenerator<HarborAnswer> {
    for (let page = 1; page <= MAX_PAGES; page++) {
      const asked = new URLSearchParams({ ...query, page: String(page), page_size: String(PAGE) });
      const answer = await this.call({ method: 'GET', path: `${path}?${asked.toString()}`, accept, doing });
      yield answer;
      if (!answer.more) return;
    }
  }

  /** Every entry of a list, parsed. @param schema of one page */
  async all<T>(path: string, query: Readonly<Record<string, string>>, schema: z.ZodType<T[]>, doing: string): Promise<T[]> {
    const entries: T[] = [];
    for await (const { body } of this.pages(path, query, { doing })) entries.push(...this.parsed(schema, body, doing));
    return entries;
  }

  /** One page, parsed. */
  async list<T>(path: string, schema: z.ZodType<T>, doing: string): Promise<T> {
    const answer = await this.call({ method: 'GET', path, accept: [200], doing });
    return this.parsed(schema, answer.body, doing);
  }

  /** @throws DeliverError E_HARBOR when the answer is not of this shape. */
  parsed<T>(schema: z.ZodType<T>, body: unknown, doing: string): T {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new DeliverError('E_HARBOR', {
      what: `${this.host}: could not ${doing}.`,
      why: 'Its answer has a shape that deliver doesn’t know.',
    });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #once(call: HarborCall, account: RegistryAccount | undefined): Promise<HarborAnswer> {
    const answer = await this.#http.send({
      method: call.method,
      url: new URL(`/api/v2.0${call.path}`, this.#http.base),
      headers: {
        accept: 'application/json',
        // A project named 123 would be taken for an id.
        'x-is-resource-name': 'true',
        ...(account === undefined ? {} : { authorization: basicHeader(account) }),
        ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.json === undefined ? {} : { body: JSON.stringify(call.json) }),
    });
    if (!call.accept.includes(answer.status)) throw await problemOf(answer);
    const bytes = await readAll(answer, MAX_ANSWER);
    const more = /\brel="?next\b/.test(answer.header('link') ?? '');
    return { status: answer.status, body: parseJson(bytes.toString('utf8')), more };
  }
}

/** 403 of the API is about roles; the registry's own 403s (quota, read-only) keep their codes. */
function forbidden(explained: unknown, account: RegistryAccount | undefined): unknown {
  if (!(explained instanceof DeliverError) || explained.code !== 'E_REGISTRY_AUTH') return explained;
  const who = account === undefined ? 'Without an account that is' : `The account ${account.username} is`;
  return new DeliverError('E_HARBOR', {
    ...explained.facts,
    fix: `${who} not allowed to do this. Use a Harbor administrator or a system robot with that right.`,
  });
}
