import type { Role } from './config.ts';
import type { Exchange, Harbor, Principal } from './context.ts';
import { forbidden, unauthorized } from './errors.ts';
import { isAuthenticated } from './identity.ts';
import type { Project, RobotPermission } from './state.ts';

const PUBLIC = [
  'project:read',
  'repository:pull',
  'repository:read',
  'repository:list',
  'artifact:read',
  'artifact:list',
  'tag:list',
  'accessory:list',
];
const GUEST = [...PUBLIC, 'quota:read'];
const DEVELOPER = [...GUEST, 'repository:push', 'artifact:create', 'tag:create'];
const MAINTAINER = [
  ...DEVELOPER,
  'repository:delete',
  'repository:update',
  'artifact:delete',
  'tag:delete',
  'immutable-tag:list',
  'immutable-tag:create',
  'immutable-tag:delete',
  'robot:list',
  'robot:read',
];

/** A cut of Harbor's rbac_role.go: what the endpoints here ask about. */
const ROLE_RIGHTS: Record<Exclude<Role, 'projectAdmin'>, ReadonlySet<string>> = {
  guest: new Set(GUEST),
  developer: new Set(DEVELOPER),
  maintainer: new Set(MAINTAINER),
};

function roleIn(harbor: Harbor, user: string, project: Project): Role | null {
  if (project.ownerName === user) return 'projectAdmin';
  return harbor.config.users.find((candidate) => candidate.name === user)?.roles?.[project.name] ?? null;
}

const grants = (permission: RobotPermission, resource: string, action: string): boolean =>
  permission.access.some((access) => access.resource === resource && (access.action === action || access.action === '*'));

function robotMay(permissions: RobotPermission[], resource: string, action: string, project: Project | null): boolean {
  return permissions.some((permission) => {
    if (project === null) return permission.kind === 'system' && grants(permission, resource, action);
    const covers = permission.kind === 'project' && (permission.namespace === '*' || permission.namespace === project.name);
    return covers && grants(permission, resource, action);
  });
}

/** `project` null asks for a system-wide right. */
export function can(harbor: Harbor, who: Principal, resource: string, action: string, project: Project | null): boolean {
  if (who.kind === 'token') {
    return project !== null && resource === 'repository' && (who.actions.get(project.name)?.has(action) ?? false);
  }
  if (who.kind === 'user' && who.sysadmin) return true;
  if (project?.metadata.public === 'true' && PUBLIC.includes(`${resource}:${action}`)) return true;
  if (who.kind === 'robot') return robotMay(who.robot.permissions, resource, action, project);
  if (who.kind === 'anonymous' || project === null) return false;
  const role = roleIn(harbor, who.name, project);
  if (role === 'projectAdmin') return true;
  return role !== null && ROLE_RIGHTS[role].has(`${resource}:${action}`);
}

/** For /api: 401 to the nameless, 403 to the others. */
export function demand(x: Exchange, resource: string, action: string, project: Project | null): void {
  if (can(x.harbor, x.principal, resource, action, project)) return;
  throw isAuthenticated(x.principal) ? forbidden() : unauthorized();
}
