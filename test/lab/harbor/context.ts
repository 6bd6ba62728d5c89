import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ResolvedConfig } from './config.ts';
import type { Logins } from './logins.ts';
import type { Robot, StateData } from './state.ts';
import type { Store } from './store.ts';
import type { TokenAuthority } from './tokens.ts';
import type { Upstream } from './upstream.ts';

/** Who is asking, as Harbor's security context sees it. Wrong credentials make an anonymous one. */
export type Principal =
  | { kind: 'anonymous' }
  | { kind: 'user'; name: string; sysadmin: boolean }
  | { kind: 'robot'; name: string; robot: Robot }
  | { kind: 'token'; name: string; issuedAt: number; actions: ReadonlyMap<string, ReadonlySet<string>> };

export interface Harbor {
  readonly config: ResolvedConfig;
  readonly state: StateData;
  readonly store: Store;
  readonly tokens: TokenAuthority;
  readonly logins: Logins;
  readonly upstream: Upstream;
  /** Bytes that PATCHes of an open upload session have brought, by session id. */
  readonly sessions: Map<string, number>;
  /** Bytes promised to uploads under way, by project id. */
  readonly reserved: Map<number, number>;
  now(): number;
}

/** One request and its answer. */
export interface Exchange {
  readonly harbor: Harbor;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  readonly scheme: string;
  readonly host: string;
  readonly hasAuthorization: boolean;
  principal: Principal;
  bytesIn: number;
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();
