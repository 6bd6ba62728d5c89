import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, answerJson, refuse } from './call.ts';

export type RegistryAuth =
  | { kind: 'basic'; users: Record<string, string> }
  | {
      kind: 'token';
      users: Record<string, string>;
      /** Pull tokens for everybody, as Docker Hub gives. */
      anonymousPull?: boolean;
      expiresInSeconds?: number;
      /** Names the field of the answer: `token` (default), or `access_token` as Azure does. */
      field?: 'token' | 'access_token';
    };

export interface AuthGate {
  /** Answers GET /token. */
  issue(req: IncomingMessage, res: ServerResponse, query: URLSearchParams): void;
  /** True when the request may go on; else it has been answered 401. */
  admit(req: IncomingMessage, res: ServerResponse, scope: string, origin: string): boolean;
}

function basicUser(req: IncomingMessage, users: Record<string, string>): string | null {
  const [scheme, encoded = ''] = (req.headers.authorization ?? '').split(' ');
  if (scheme !== 'Basic') return null;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const user = pair.slice(0, pair.indexOf(':'));
  return users[user] === pair.slice(pair.indexOf(':') + 1) ? user : null;
}

/** `repository:a/b:pull,push` → name and actions. */
function parts(scope: string): { name: string; actions: string[] } {
  const [, name = '', actions = ''] = /^repository:(.+):([^:]*)$/.exec(scope) ?? [];
  return { name, actions: actions.split(',') };
}

const covers = (held: string, wanted: string): boolean => {
  const [have, want] = [parts(held), parts(wanted)];
  return have.name === want.name && want.actions.every((action) => have.actions.includes(action));
};

export function openGate(auth: RegistryAuth | null): AuthGate {
  const tokens = new Map<string, { scopes: string[]; until: number }>();
  const deny = (res: ServerResponse, challenge: string): false => {
    refuse({ res }, 401, 'UNAUTHORIZED', 'authentication required', { headers: { 'Www-Authenticate': challenge } });
    return false;
  };
  return {
    issue: (req, res, query) => {
      if (auth?.kind !== 'token') {
        answer({ res }, 404);
        return;
      }
      const user = basicUser(req, auth.users);
      const scopes = query.getAll('scope').flatMap((scope) => scope.split(' '));
      const pullOnly = scopes.every((scope) => parts(scope).actions.every((action) => action === 'pull'));
      if (user === null && (req.headers.authorization !== undefined || !auth.anonymousPull || !pullOnly)) {
        deny(res, 'Basic realm="registry"');
        return;
      }
      const token = randomBytes(24).toString('base64url');
      const lifetime = auth.expiresInSeconds ?? 300;
      tokens.set(token, { scopes, until: Date.now() + lifetime * 1000 });
      answerJson({ res }, 200, { [auth.field ?? 'token']: token, expires_in: lifetime });
    },
    admit: (req, res, scope, origin) => {
      if (auth === null) return true;
      if (auth.kind === 'basic') return basicUser(req, auth.users) !== null || deny(res, 'Basic realm="registry"');
      const token = tokens.get((req.headers.authorization ?? '').replace(/^Bearer /i, ''));
      const good = token !== undefined && token.until > Date.now();
      if (good && (scope === '' || token.scopes.some((held) => covers(held, scope)))) return true;
      const asked = scope === '' ? '' : `,scope="${scope}"`;
      return deny(res, `Bearer realm="${origin}/token",service="memory-registry"${asked}`);
    },
  };
}
