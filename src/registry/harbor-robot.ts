import { z } from 'zod';
import { DeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { HarborClient } from './harbor-client.ts';
import type { RegistryAccount } from './port.ts';

const Robots = z.array(z.object({ id: z.number(), name: z.string(), level: z.string().optional() }));
const Created = z.object({ id: z.number(), name: z.string(), secret: z.string().min(1) });

interface Rights {
  /** Goes on after “make the”: `pull account x`. */
  readonly what: string;
  readonly description: string;
  /** Days; -1 is for ever. */
  readonly duration: number;
  /** `resource:action`, of each project. */
  readonly access: readonly string[];
}

/** A system robot that may only pull from these projects, with a new secret. */
export function renewPullRobot(client: HarborClient, name: string, projects: readonly string[]): Promise<RegistryAccount> {
  return renewRobot(client, name, projects, {
    what: `pull account ${name}`,
    description: 'Pulls images for the nodes; made by deliver, replaced by every renewal',
    duration: -1,
    access: ['repository:pull'],
  });
}

/** What a push needs and no more; Harbor checks a robot’s secret twenty times faster than a user’s password. */
export function renewPushRobot(client: HarborClient, name: string, projects: readonly string[]): Promise<RegistryAccount> {
  return renewRobot(client, name, projects, {
    what: `push account ${name}`,
    description: 'Pushes releases; made by deliver for one run, ends by itself after a day',
    duration: 1,
    access: ['repository:pull', 'repository:push', 'artifact:read', 'artifact:list', 'tag:list', 'tag:create'],
  });
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
      permissions: projects.map((project) => ({
        kind: 'project',
        namespace: project,
        access: rights.access.map((right) => ({ resource: right.split(':')[0], action: right.split(':')[1] })),
      })),
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
  const query = new URLSearchParams({ q: `name=${name},Level=system,ProjectID=0`, page_size: '100' });
  const robots = await client.list(`/robots?${query.toString()}`, Robots, doing);
  for (const robot of robots) {
    // Listed with the prefix, searched without.
    if (!robot.name.endsWith(name) || robot.level === 'project') continue;
    await client.call({ method: 'DELETE', path: `/robots/${String(robot.id)}`, accept: [200, 404], doing });
  }
}
