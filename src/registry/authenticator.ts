import { basicHeader } from './basic.ts';
import { parseChallenges } from './challenge.ts';
import type { HttpClient } from './http-client.ts';
import type { RegistryOptions } from './options.ts';
import type { RegistryAccount } from './port.ts';
import { Tokens } from './token.ts';

/** Harbor's token service hides a wrong password behind an anonymous token; Basic is honest and never expires. */
const HARBOR_SERVICE = 'harbor-registry';

type Scheme =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly header: string }
  | { readonly kind: 'bearer'; readonly tokens: Tokens };

/** Finds out from the first 401 how a registry wants to be authenticated to, and does that from then on. */
export class Authenticator {
  readonly #client: HttpClient;
  readonly #given: RegistryOptions['account'];
  #account: Promise<RegistryAccount | undefined> | undefined;
  #scheme: Scheme = { kind: 'none' };
  /** What a registry asked for beyond our own scopes, by our scopes (a mirror may know the repository by another name). */
  readonly #extra = new Map<string, readonly string[]>();

  constructor(client: HttpClient, account: RegistryOptions['account']) {
    this.#client = client;
    this.#given = account;
  }

  /** The account, looked up once. */
  account(): Promise<RegistryAccount | undefined> {
    this.#account ??= typeof this.#given === 'function' ? this.#given() : Promise.resolve(this.#given);
    return this.#account;
  }

  /** Value of the Authorization header for these scopes, undefined while none is known to be needed. */
  async header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme.kind === 'none') return undefined;
    if (scheme.kind === 'basic') return scheme.header;
    return `Bearer ${await scheme.tokens.get(this.#wanted(scopes), signal)}`;
  }

  /**
   * Takes in a 401.
   * @param challenge the WWW-Authenticate header
   * @param sent the Authorization header that was refused
   * @returns whether another try may succeed
   */
  async refused(challenge: string | undefined, scopes: readonly string[], sent: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(challenge ?? '');
    const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.has('realm'));
    if (sent?.startsWith('Bearer ') === true && this.#scheme.kind === 'bearer') {
      // Expired, or too narrow: Harbor names Basic then, without a word about expiry.
      await this.#scheme.tokens.drop(this.#wanted(scopes), sent.slice('Bearer '.length));
      this.#remember(scopes, bearer?.params.get('scope'));
      return true;
    }
    if (sent !== undefined) return false;
    const account = await this.account();
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    const realm = bearer?.params.get('realm');
    const service = bearer?.params.get('service');
    if (account !== undefined && (service === HARBOR_SERVICE || (basic && realm === undefined))) {
      this.#scheme = { kind: 'basic', header: basicHeader(account) };
      return true;
    }
    if (realm === undefined) return false;
    // Requests that started together are all refused; the first one's token service serves them all.
    if (this.#scheme.kind !== 'bearer')
      this.#scheme = { kind: 'bearer', tokens: new Tokens(this.#client, { realm, service }, account) };
    this.#remember(scopes, bearer?.params.get('scope'));
    return true;
  }

  #wanted(scopes: readonly string[]): readonly string[] {
    return [...scopes, ...(this.#extra.get(scopes.join(' ')) ?? [])];
  }

  #remember(scopes: readonly string[], asked: string | undefined): void {
    const extra = (asked ?? '').split(' ').filter((scope) => scope !== '' && !scopes.some((ours) => covers(ours, scope)));
    if (extra.length > 0) this.#extra.set(scopes.join(' '), extra);
  }
}

/** `repository:a:pull,push` covers `repository:a:pull`. */
function covers(ours: string, asked: string): boolean {
  const split = (scope: string): [string, string[]] => {
    const colon = scope.lastIndexOf(':');
    return [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
  };
  const [ourName, ourActions] = split(ours);
  const [name, actions] = split(asked);
  return ourName === name && actions.every((action) => ourActions.includes(action));
}
