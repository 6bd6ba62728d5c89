import { can } from './access.ts';
import type { Exchange } from './context.ts';
import { forbidden, unauthorized } from './errors.ts';
import { isAuthenticated } from './identity.ts';

/** For things that belong to no project: a system administrator, or a system robot with that very right. */
export function demandSystem(x: Exchange, resource: string, action: string): void {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  if (!can(x.harbor, x.principal, resource, action, null)) throw forbidden();
}
