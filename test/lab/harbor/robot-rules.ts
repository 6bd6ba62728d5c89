import { badRequest, forbidden, notFound } from './errors.ts';
import { PERMISSIONS } from './permissions.ts';
import type { Robot, RobotPermission, StateData } from './state.ts';
import { projectNamed } from './state.ts';

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export interface RobotRequest {
  name?: string;
  description?: string;
  level?: string;
  disable?: boolean;
  duration?: number | null;
  permissions?: { kind?: string; namespace?: string; access?: { resource?: string; action?: string }[] }[];
}

function checkPermission(permission: RobotPermission, level: string): void {
  const table = permission.kind === 'system' ? PERMISSIONS.system : PERMISSIONS.project;
  if (permission.kind === 'system' && level === 'project')
    throw badRequest('bad request permission: system kind in a project robot');
  if (permission.access.length === 0) throw badRequest('bad request empty access');
  for (const { resource, action } of permission.access) {
    if (!table.some((known) => known.resource === resource && known.action === action)) {
      throw badRequest(`bad request permission: ${resource}:${action}`);
    }
  }
}

/** Harbor's rules for a robot's level, duration (days, -1 is never, 0 is refused), name and permissions. */
export function checkRobot(request: RobotRequest): Pick<Robot, 'level' | 'duration' | 'permissions'> {
  const { level = '', name = '' } = request;
  if (level !== 'system' && level !== 'project') throw badRequest(`bad request error level input: ${level}`);
  const duration = request.duration ?? 0;
  if (duration !== -1 && duration <= 0)
    throw badRequest(
      `bad request error duration input: ${String(duration)}, duration must be either -1(Never) or a positive integer`,
    );
  if (!NAME.test(name)) throw badRequest('robot name is not in lower case or contains illegal characters');
  const permissions = (request.permissions ?? []).map((given): RobotPermission => ({
    kind: given.kind ?? '',
    namespace: given.namespace ?? '',
    access: (given.access ?? []).map(({ resource = '', action = '' }) => ({ resource, action })),
  }));
  if (permissions.length === 0) throw badRequest('bad request empty permission');
  if (level === 'project' && permissions.length > 1) throw badRequest('bad request permission');
  for (const permission of permissions) checkPermission(permission, level);
  return { level, duration, permissions };
}

/** Every namespace must exist; only a system robot may have all of them. */
export function checkNamespaces(state: StateData, level: string, permissions: readonly RobotPermission[]): void {
  for (const { kind, namespace } of permissions) {
    if (kind === 'system' && namespace === '/') continue;
    if (level === 'system' && namespace === '*') continue;
    if (projectNamed(state, namespace) === undefined) throw notFound(`project ${namespace} not found`);
  }
}

/** A robot may only make robots that can do no more than itself. */
export function checkNoMoreThan(creator: Robot, permissions: readonly RobotPermission[]): void {
  const owns = (kind: string, namespace: string, resource: string, action: string): boolean =>
    creator.permissions.some(
      (own) =>
        own.kind === kind &&
        (own.namespace === namespace || own.namespace === '*') &&
        own.access.some((access) => access.resource === resource && access.action === action),
    );
  for (const { kind, namespace, access } of permissions) {
    for (const { resource, action } of access) {
      if (!owns(kind, namespace, resource, action))
        throw forbidden(
          "permission scope is invalid. It must be equal to or more restrictive than the creator robot's permissions",
        );
    }
  }
}
