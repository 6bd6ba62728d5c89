import { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import type { HarborClient } from './client.ts';
import { findProject } from './projects.ts';
import type { HarborRobots, RegistryAccount } from '../port.ts';

const Access = z.array(z.object({ resource: z.string(), action: z.string() }));
const Permission = z.object({ kind: z.string(), namespace: z.string(), access: Access });
const Robot = z.object({
  id: z.number(),
  name: z.string(),
  level: z.string().optional(),
  description: z.string().optional(),
  duration: z.number().optional(),
  permissions: z.array(Permission).nullish(),
});
const Robots = z.array(Robot);
const Created = z.object({ id: z.number(), name: z.string(), secret: z.string().min(1) });
const CurrentUser = z.object({ sysadmin_flag: z.boolean().optional(), admin_role_in_auth: z.boolean().optional() });

interface Rights {
  /** Goes on after “make the”: `pull account x`. */
  readonly what: string;
  readonly description: string;
  /** Days; -1 is for ever. */
  readonly duration: number;
  /** `resource:action`, of each project. */
  readonly access: readonly string[];
}

const PULL = {
  description: 'Pulls images for the nodes; made by deliver, replaced by every renewal',
  duration: -1,
  access: ['repository:pull'],
} as const;

/** What a push needs and no more; Harbor checks a robot’s secret twenty times faster than a user’s password. */
const PUSH = {
  description: 'Pushes a release; made by deliver for one run, ends by itself after a day',
  duration: 1,
  access: ['repository:pull', 'repository:push', 'artifact:read', 'artifact:list', 'tag:list', 'tag:create'],
} as const;

/** System robots: one may be let into several projects. */
export function harborRobots(client: HarborClient): HarborRobots {
  return {
    mayMake: () => mayMakeRobots(client),
    renewPull: (name, projects) => renewRobot(client, name, projects, { ...PULL, what: `pull account ${name}` }),
    widenPull: (name, projects) => widenRobot(client, name, projects),
    renewPush: (name, projects) => renewRobot(client, name, projects, { ...PUSH, what: `push account ${name}` }),
    remove: (name) => removeRobot(client, name, `remove the account ${name}`),
  };
}

/** An administrator may; of robots only one that was given that right. */
async function mayMakeRobots(client: HarborClient): Promise<boolean> {
  const doing = 'ask what its account may do';
  // A robot is no user: it is told 412.
  const answer = await client.call({ method: 'GET', path: '/users/current', accept: [200, 401, 403, 404, 412], doing });
  const user = CurrentUser.safeParse(answer.body);
  if (answer.status === 200 && user.success) return user.data.sysadmin_flag === true || user.data.admin_role_in_auth === true;
  const account = await client.account();
  for await (const { status, body } of client.pages('/robots', {}, { doing, accept: [200, 401, 403] })) {
    const robots = Robots.safeParse(body);
    if (status !== 200 || !robots.success) return false;
    const own = robots.data.find(({ name }) => name === account?.username);
    if (own !== undefined) return mayMake(own);
  }
  return false;
}

function mayMake({ permissions }: z.infer<typeof Robot>): boolean {
  const rights = (permissions ?? []).filter(({ kind }) => kind === 'system').flatMap(({ access }) => access);
  return ['create', 'delete'].every((wanted) => rights.some(({ resource, action }) => resource === 'robot' && action === wanted));
}

async function widenRobot(client: HarborClient, name: string, projects: readonly string[]): Promise<boolean> {
  const doing = `widen the pull account ${name}`;
  const [found] = await robotsNamed(client, name, doing);
  if (found === undefined) return false;
  const before = (found.permissions ?? []).filter(({ kind }) => kind === 'project').map(({ namespace }) => namespace);
  // Harbor refuses a robot of a project that is gone.
  const kept = await Promise.all(
    before.map(async (project) => ((await findProject(client, project)) === undefined ? [] : [project])),
  );
  const json = {
    id: found.id,
    name: found.name,
    level: 'system',
    description: PULL.description,
    duration: PULL.duration,
    disable: false,
    permissions: permissionsIn([...new Set([...kept.flat(), ...projects])], PULL.access),
  };
  await client.call({ method: 'PUT', path: `/robots/${String(found.id)}`, json, accept: [200], doing });
  return true;
}

/**
 * A system robot with these rights and a new secret. Harbor shows a secret only once, so an existing robot of that name is replaced.
 * @returns the login name as Harbor made it: its prefix is a setting
 */
async function renewRobot(
  client: HarborClient,
  name: string,
  projects: readonly string[],
  rights: Rights,
): Promise<RegistryAccount> {
  const doing = `make the ${rights.what}`;
  for (let attempt = 1; attempt <= 2; attempt++) {
    await removeRobot(client, name, doing);
    const json = {
      name,
      description: rights.description,
      level: 'system',
      duration: rights.duration,
      disable: false,
      permissions: permissionsIn(projects, rights.access),
    };
    const answer = await client.call({ method: 'POST', path: '/robots', json, accept: [201, 409], doing });
    // 409: somebody else made it in between.
    if (answer.status === 409) continue;
    const robot = client.parsed(Created, answer.body, doing);
    new Secret(robot.secret);
    return { username: robot.name, password: robot.secret };
  }
  throw new DeliverError('E_HARBOR', {
    what: `${client.host}: could not ${doing}.`,
    why: 'A robot of that name exists that this account can’t see or remove.',
    fix: 'Remove it in Harbor, or use an administrator’s account.',
  });
}

async function removeRobot(client: HarborClient, name: string, doing: string): Promise<void> {
  for (const { id } of await robotsNamed(client, name, doing))
    await client.call({ method: 'DELETE', path: `/robots/${String(id)}`, accept: [200, 404], doing });
}

async function robotsNamed(client: HarborClient, name: string, doing: string): Promise<z.infer<typeof Robots>> {
  const robots = await client.all('/robots', { q: `name=${name},Level=system,ProjectID=0` }, Robots, doing);
  // Listed with the prefix, searched without.
  return robots.filter((robot) => robot.name.endsWith(name) && robot.level !== 'project');
}

function permissionsIn(projects: readonly string[], access: readonly string[]): z.infer<typeof Permission>[] {
  const rights = access.map((right) => {
    const [resource = '', action = ''] = right.split(':');
    return { resource, action };
  });
  return projects.map((namespace) => ({ kind: 'project', namespace, access: rights }));
}
