import { z } from 'zod';
import { Secret } from '../core/secret.ts';
import { basicHeader } from './basic.ts';
import { readAll, type HttpClient } from './http-client.ts';
import { HttpProblem, parseJson, problemOf } from './http-problem.ts';
import type { RegistryAccount } from './port.ts';

/** Registries without `expires_in` mean 60 s (distribution token spec). */
const DEFAULT_LIFETIME = 60;
/** Milliseconds before its end at which a token is no longer used for a new request. */
const MARGIN = 10_000;
/** docker's mark for “the password is an identity token”. */
const IDENTITY_TOKEN = '<token>';

const TokenAnswer = z.object({
  token: z.string().optional(),
  // Harbor sends an empty one besides `token`.
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

interface Held {
  readonly value: string;
  /** On the monotonic clock of `performance.now()`. */
  readonly goodUntil: number;
}

export interface TokenService {
  readonly realm: string;
  readonly service: string | undefined;
}

/** Bearer tokens of one token service, one per set of scopes, each fetched once however many requests wait for it. */
export class Tokens {
  readonly #client: HttpClient;
  readonly #service: TokenService;
  readonly #account: RegistryAccount | undefined;
  readonly #held = new Map<string, Promise<Held>>();

  constructor(client: HttpClient, service: TokenService, account: RegistryAccount | undefined) {
    this.#client = client;
    this.#service = service;
    this.#account = account;
  }

  /** @throws HttpProblem when the token service refuses. */
  async get(scopes: readonly string[], signal?: AbortSignal): Promise<string> {
    const key = scopes.join(' ');
    const held = this.#held.get(key);
    if (held !== undefined) {
      const token = await held;
      if (token.goodUntil > performance.now()) return token.value;
    }
    // Whoever comes first fetches; the others find the new promise.
    const current = this.#held.get(key);
    if (current !== undefined && current !== held) return (await current).value;
    const fetched = this.#fetch(scopes, signal);
    this.#held.set(key, fetched);
    fetched.catch(() => {
      if (this.#held.get(key) === fetched) this.#held.delete(key);
    });
    return (await fetched).value;
  }

  /** Forgets a token that was refused, unless it was replaced already. */
  async drop(scopes: readonly string[], value: string): Promise<void> {
    const key = scopes.join(' ');
    const held = await this.#held.get(key)?.catch(() => undefined);
    if (held?.value === value) this.#held.delete(key);
  }

  async #fetch(scopes: readonly string[], signal: AbortSignal | undefined): Promise<Held> {
    const answer = await this.#client.send({ ...this.#request(scopes), ...(signal === undefined ? {} : { signal }) });
    if (answer.status !== 200) throw await problemOf(answer);
    const body = TokenAnswer.safeParse(parseJson((await readAll(answer, 1024 * 1024)).toString('utf8')));
    const value = body.success
      ? [body.data.token, body.data.access_token].find((token) => token !== undefined && token !== '')
      : undefined;
    if (value === undefined) throw new HttpProblem(401, { code: '', text: `${this.#service.realm} answered without a token` });
    new Secret(value);
    const lifetime = (body.data?.expires_in ?? DEFAULT_LIFETIME) * 1000;
    return { value, goodUntil: performance.now() + Math.max(lifetime - MARGIN, lifetime / 2) };
  }

  #request(scopes: readonly string[]): { method: 'GET' | 'POST'; url: URL; headers?: Record<string, string>; body?: string } {
    const url = this.#realm();
    const account = this.#account;
    const service = this.#service.service;
    if (account?.username === IDENTITY_TOKEN) {
      const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: account.password, client_id: 'deliver' });
      if (service !== undefined) form.set('service', service);
      form.set('scope', scopes.join(' '));
      return { method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() };
    }
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    return { method: 'GET', url, ...(account === undefined ? {} : { headers: { authorization: basicHeader(account) } }) };
  }

  #realm(): URL {
    const { realm } = this.#service;
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
      throw new HttpProblem(401, { code: '', text: `the registry names the token service “${realm}”, which is no URL` });
    }
    if (this.#account !== undefined && url.protocol === 'http:' && this.#client.base.protocol === 'https:') {
      throw new HttpProblem(401, {
        code: '',
        text: `its token service is announced as ${url.origin}, without encryption: the account is not sent there`,
      });
    }
    return url;
  }
}
