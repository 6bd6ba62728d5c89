import { demand } from './access.ts';
import type { Routes } from './api.ts';
import { isoTime } from './context.ts';
import type { Exchange } from './context.ts';
import { badRequest, fail, notFound, unauthorized } from './errors.ts';
import { isAuthenticated } from './identity.ts';
import { matches, queryFilter, sendPage } from './paging.ts';
import { sendEmpty, sendJson } from './reply.ts';
import { checkNamespaces, checkNoMoreThan, checkRobot } from './robot-rules.ts';
import type { RobotRequest } from './robot-rules.ts';
import { acceptableSecret, hashSecret, newSecret, robotFullName } from './robot-secrets.ts';
import type { Project, Robot } from './state.ts';
import { nextId, projectNamed, projectWithId } from './state.ts';

const DAY_SECONDS = 86_400;

const expiry = (x: Exchange, days: number): number => (days === -1 ? -1 : Math.floor(x.harbor.now() / 1000) + days * DAY_SECONDS);

/** null is the system level. */
function homeProject(x: Exchange, level: string, namespace: string): Project | null {
  return level === 'system' ? null : (projectNamed(x.harbor.state, namespace) ?? null);
}

async function createRobot(x: Exchange, _params: unknown, body: unknown): Promise<void> {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  const request = (body ?? {}) as RobotRequest;
  const rules = checkRobot(request);
  const { state } = x.harbor;
  checkNamespaces(state, rules.level, rules.permissions);
  const project = homeProject(x, rules.level, rules.permissions[0]?.namespace ?? '');
  demand(x, 'robot', 'create', project);
  if (x.principal.kind === 'robot') checkNoMoreThan(x.principal.robot, rules.permissions);

  const shortName = project === null ? (request.name ?? '') : `${project.name}+${request.name ?? ''}`;
  if (state.robots.some((robot) => robot.shortName === shortName)) {
    throw fail('CONFLICT', `robot account ${String(project?.id ?? 0)}:${shortName} already exists`);
  }
  const secret = newSecret();
  const now = isoTime(x.harbor.now());
  const robot: Robot = {
    ...rules,
    id: nextId(state, 'robot'),
    projectId: project?.id ?? 0,
    shortName,
    description: request.description ?? '',
    expiresAt: expiry(x, rules.duration),
    disable: request.disable ?? false,
    creationTime: now,
    updateTime: now,
    ...hashSecret(secret),
  };
  state.robots.push(robot);
  await x.harbor.store.commit();
  const created = { creation_time: now, expires_at: robot.expiresAt, id: robot.id, name: robotFullName(state, robot), secret };
  sendJson(x, 201, created, { Location: `/api/v2.0/robots/${String(robot.id)}` });
}

const view = (x: Exchange, robot: Robot): object => ({
  creation_time: robot.creationTime,
  description: robot.description,
  disable: robot.disable,
  duration: robot.duration,
  editable: true,
  expires_at: robot.expiresAt,
  id: robot.id,
  level: robot.level,
  name: robotFullName(x.harbor.state, robot),
  permissions: robot.permissions,
  update_time: robot.updateTime,
});

/** Without a filter only the system robots; a project's need both Level and ProjectID. */
function listRobots(x: Exchange): void {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  const filter = queryFilter(x);
  const level = filter.Level ?? 'system';
  const projectId = level === 'project' ? Number(filter.ProjectID ?? Number.NaN) : 0;
  if (Number.isNaN(projectId)) throw badRequest('must with project ID when to query project robots');
  const project = projectWithId(x.harbor.state, projectId) ?? null;
  if (level === 'project' && project === null) throw notFound(`project ${String(projectId)} not found`);
  demand(x, 'robot', 'list', project);
  const robots = x.harbor.state.robots.filter((robot) => robot.projectId === projectId && matches(robot.shortName, filter.name));
  sendPage(
    x,
    robots.map((robot) => view(x, robot)),
  );
}

function robotFor(x: Exchange, id: string, action: string): Robot {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  const robot = x.harbor.state.robots.find((candidate) => String(candidate.id) === id);
  if (robot === undefined) throw notFound(`robot account ${id} not found`);
  demand(x, 'robot', action, projectWithId(x.harbor.state, robot.projectId) ?? null);
  return robot;
}

/** An empty secret asks for a new one, which only this answer tells; a chosen one is not repeated. */
async function refreshSecret(x: Exchange, params: Readonly<Record<string, string>>, body: unknown): Promise<void> {
  const robot = robotFor(x, params.robot_id ?? '', 'create');
  const chosen = (body as { secret?: string } | undefined)?.secret ?? '';
  if (chosen !== '' && !acceptableSecret(chosen)) {
    throw badRequest(
      'the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number',
    );
  }
  const secret = chosen === '' ? newSecret() : chosen;
  Object.assign(robot, hashSecret(secret), { updateTime: isoTime(x.harbor.now()) });
  await x.harbor.store.commit();
  sendJson(x, 200, chosen === '' ? { secret } : {});
}

async function updateRobot(x: Exchange, params: Readonly<Record<string, string>>, body: unknown): Promise<void> {
  const robot = robotFor(x, params.robot_id ?? '', 'create');
  const request = (body ?? {}) as RobotRequest;
  const fullName = robotFullName(x.harbor.state, robot);
  if (request.name !== fullName || request.level !== robot.level) throw badRequest('cannot update the level or name of robot');
  const rules = checkRobot({ ...request, name: 'unchanged' });
  checkNamespaces(x.harbor.state, rules.level, rules.permissions);
  Object.assign(robot, rules, {
    description: request.description ?? '',
    disable: request.disable ?? false,
    expiresAt: expiry(x, rules.duration),
    updateTime: isoTime(x.harbor.now()),
  });
  await x.harbor.store.commit();
  sendEmpty(x, 200);
}

export const robotRoutes: Routes = {
  'POST /robots': createRobot,
  'GET /robots': listRobots,
  'GET /robots/{robot_id}': (x, params) => {
    sendJson(x, 200, view(x, robotFor(x, params.robot_id ?? '', 'read')));
  },
  'PATCH /robots/{robot_id}': refreshSecret,
  'PUT /robots/{robot_id}': updateRobot,
  'DELETE /robots/{robot_id}': async (x, params) => {
    const robot = robotFor(x, params.robot_id ?? '', 'delete');
    x.harbor.state.robots.splice(x.harbor.state.robots.indexOf(robot), 1);
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
