import type { Exchange, Principal } from './context.ts';
import type { TokenClaims } from './tokens.ts';

const ANONYMOUS: Principal = { kind: 'anonymous' };

/** A token is checked per project, not per repository: `repository:p1/app` opens all of p1. */
function fromClaims(claims: TokenClaims): Principal {
  const actions = new Map<string, Set<string>>();
  for (const entry of claims.access) {
    if (entry.type !== 'repository') continue;
    const project = entry.name.split('/')[0] ?? '';
    const granted = actions.get(project) ?? new Set<string>();
    for (const action of entry.actions) granted.add(action);
    actions.set(project, granted);
  }
  return { kind: 'token', name: claims.subject, issuedAt: claims.issuedAt, actions };
}

/** Basic works everywhere, a Bearer token on /v2/ only; whatever is wrong with either just makes the caller anonymous. */
export async function identify(x: Exchange): Promise<Principal> {
  const [scheme = '', credentials = ''] = (x.req.headers.authorization ?? '').split(/ +/, 2);
  if (scheme.toLowerCase() === 'basic') {
    const pair = Buffer.from(credentials, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon < 0) return ANONYMOUS;
    return x.harbor.logins.check(pair.slice(0, colon), pair.slice(colon + 1));
  }
  if (scheme.toLowerCase() === 'bearer' && x.rawPath.startsWith('/v2/')) {
    const claims = await x.harbor.tokens.verify(credentials, x.harbor.now());
    return claims === null ? ANONYMOUS : fromClaims(claims);
  }
  return ANONYMOUS;
}

export const principalName = (principal: Principal): string => (principal.kind === 'anonymous' ? '' : principal.name);

export const isAuthenticated = (principal: Principal): boolean => principalName(principal) !== '';

export const isSysadmin = (principal: Principal): boolean => principal.kind === 'user' && principal.sysadmin;
