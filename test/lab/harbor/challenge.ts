import type { Exchange } from './context.ts';
import { HarborError } from './errors.ts';
import { SERVICE } from './tokens.ts';

/** One thing that a /v2/ request needs. */
export interface Need {
  repository: string;
  action: 'pull' | 'push' | 'delete';
}

const SCOPE_ACTIONS = { pull: 'pull', push: 'pull,push', delete: 'delete' } as const;

/**
 * Harbor's rule [v2auth/auth.go getChallenge]: Bearer only for a request without any Authorization header,
 * else Basic. The realm has the scheme of the external URL but the host of the request.
 */
export function challengeFor(x: Exchange, needs: readonly Need[]): string {
  if (x.hasAuthorization || x.rawPath === '/v2/_catalog') return 'Basic realm="harbor"';
  const scheme = new URL(x.harbor.config.externalUrl).protocol;
  const bearer = `Bearer realm="${scheme}//${x.host}/service/token",service="${SERVICE}"`;
  const scope = needs.map((need) => `repository:${need.repository}:${SCOPE_ACTIONS[need.action]}`).join(' ');
  return scope === '' ? bearer : `${bearer},scope="${scope}"`;
}

/** Every refusal of v2auth is a 401 that says its reason twice. An empty challenge is sent as an empty header. */
export function refuse(reason: string, challenge: string): HarborError {
  return new HarborError(
    { code: 'UNAUTHORIZED', message: `${reason}: ${reason}` },
    { 'Docker-Distribution-Api-Version': 'registry/2.0', 'Www-Authenticate': challenge },
  );
}
