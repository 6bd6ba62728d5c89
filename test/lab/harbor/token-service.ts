import { can } from './access.ts';
import type { Exchange } from './context.ts';
import { isAuthenticated, isSysadmin, principalName } from './identity.ts';
import { sendEmpty, sendJson, sendText } from './reply.ts';
import { projectNamed } from './state.ts';
import { SERVICE } from './tokens.ts';
import type { TokenAccess } from './tokens.ts';

/** Everything the caller may do there, whatever was asked for; nothing when the project is missing. */
function grantedActions(x: Exchange, type: string, name: string): string[] {
  if (type === 'registry') return name === 'catalog' && isSysadmin(x.principal) ? ['*'] : [];
  const project = projectNamed(x.harbor.state, name.split('/')[0] ?? '');
  if (type !== 'repository' || project === undefined) return [];
  const may = (action: string): boolean => can(x.harbor, x.principal, 'repository', action, project);
  const actions = (['push', 'delete', 'pull'] as const).filter(may) as string[];
  if (actions.includes('push') && !actions.includes('pull')) actions.push('pull');
  return actions.sort(() => Math.random() - 0.5);
}

function accessFor(x: Exchange, scope: string): TokenAccess {
  const [type = '', ...rest] = scope.split(':');
  const name = rest.length > 1 ? rest.slice(0, -1).join(':') : (rest[0] ?? '');
  return { type, name, actions: grantedActions(x, type, name) };
}

/** GET /service/token. A wrong password with a scope gets an anonymous token: the failure shows only at the push. */
export async function handleToken(x: Exchange): Promise<void> {
  if (x.method !== 'GET') {
    sendText(x, 405, 'Method Not Allowed\n');
    return;
  }
  const service = x.query.get('service') ?? '';
  if (service !== SERVICE) {
    sendText(x, 400, `Unable to handle service: ${service}\n`);
    return;
  }
  const scopes = x.query
    .getAll('scope')
    .flatMap((scope) => scope.split(' '))
    .filter((scope) => scope !== '');
  if (scopes.length === 0 && !isAuthenticated(x.principal)) {
    sendEmpty(x, 401);
    return;
  }
  const now = x.harbor.now();
  const lifetime = Math.round(x.harbor.state.settings.tokenExpirationMinutes * 60);
  const access = scopes.map((scope) => accessFor(x, scope));
  sendJson(x, 200, {
    token: await x.harbor.tokens.issue(principalName(x.principal), access, lifetime, now),
    access_token: '',
    expires_in: lifetime,
    issued_at: `${new Date(now).toISOString().slice(0, 19)}Z`,
  });
}
