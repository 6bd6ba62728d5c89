import type { AnyAuthMethod, AuthenticationType } from 'ssh2';
import type { SiteHost } from '../manifest/site-schema.ts';
import type { Attempt, Credentials } from './credentials.ts';
import { userOf } from './endpoint.ts';

/** The course of one login: what was tried, and what the server would take. */
export interface Login {
  /** For ssh2's `authHandler`: the next method, false when there is none left. */
  next(left: AuthenticationType[] | null): AnyAuthMethod | false;
  readonly tried: readonly string[];
  /** Methods that the server still offered last, undefined before its first answer. */
  readonly offered: readonly string[] | undefined;
}

/** Tries each way that the server offers, once and in order, after asking with “none” what it offers (RFC 4252 section 5.2). */
export function createLogin(host: SiteHost, credentials: Credentials): Login {
  const waiting = [...credentials.attempts];
  const tried: string[] = [];
  let offered: readonly string[] | undefined;
  let asked = false;
  return {
    tried,
    get offered() {
      return offered;
    },
    next(left) {
      if (!asked) {
        asked = true;
        return { type: 'none', username: userOf(host) };
      }
      offered = left ?? offered;
      const at = waiting.findIndex((attempt) => offered === undefined || offered.includes(wireName(attempt)));
      const attempt = at < 0 ? undefined : waiting[at];
      if (attempt === undefined) return false;
      waiting.splice(at, 1);
      tried.push(attempt.label);
      return attempt.method;
    },
  };
}

function wireName(attempt: Attempt): string {
  return attempt.method.type === 'agent' ? 'publickey' : attempt.method.type;
}
