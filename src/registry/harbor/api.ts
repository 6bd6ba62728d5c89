import { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';
import { HarborClient } from './client.ts';
import { harborRobots } from './robot.ts';
import { harborLook, harborSetup } from './setup.ts';
import type { RegistryOptions } from '../options.ts';
import type { HarborApi } from '../port.ts';

const SystemInfo = z.object({ auth_mode: z.string(), harbor_version: z.string().optional() });
const Health = z.object({
  components: z.array(z.object({ name: z.string(), status: z.string(), error: z.string().optional() })),
});
const Storage = z.object({ storage: z.number().optional() });
const Summary = z.object({ quota: z.object({ hard: Storage, used: Storage }).optional() });

export interface OpenHarborApi extends HarborApi {
  close(): Promise<void>;
}

/** Harbor's API v2.0 (openapi/harbor-v2.0.swagger.yaml). */
export function createHarborApi(options: RegistryOptions): OpenHarborApi {
  const client = new HarborClient(options);
  return {
    version: () => version(client),
    hasProject: (name) => hasProject(client, name),
    ensureProject: (name) => ensureProject(client, name),
    robots: harborRobots(client),
    quotaLeft: (project) => quotaLeft(client, project),
    unhealthy: () => unhealthy(client),
    setup: harborSetup(client),
    look: harborLook(client),
    close: () => client.close(),
  };
}

/** Harbor tells its version only to who is logged in, and answers a wrong password as if nobody were. */
async function version(client: HarborClient): Promise<string | undefined> {
  const doing = 'ask whether it is a Harbor';
  // A registry that is no Harbor answers anything here: 404, 401, a page of HTML.
  const other = [301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410];
  const answer = await client.call({ method: 'GET', path: '/systeminfo', accept: [200, ...other], doing });
  const info = SystemInfo.safeParse(answer.body);
  if (answer.status !== 200 || !info.success) return undefined;
  if (info.data.harbor_version !== undefined) return info.data.harbor_version;
  const account = await client.account();
  throw new DeliverError('E_REGISTRY_AUTH', {
    what: `${client.host} is a Harbor, but did not let ${account === undefined ? 'anyone without an account' : account.username} in.`,
    why:
      account === undefined
        ? 'No account was given.'
        : 'The name or the password is wrong, or the robot account has expired or is disabled.',
    fix: 'Give registry.username and registry.password in the site file, or --username with --password-stdin.',
  });
}

async function hasProject(client: HarborClient, name: string): Promise<boolean> {
  const query = new URLSearchParams({ project_name: name });
  const doing = `look for project ${name}`;
  const answer = await client.call({ method: 'HEAD', path: `/projects?${query.toString()}`, accept: [200, 404], doing });
  return answer.status === 200;
}

async function ensureProject(client: HarborClient, name: string): Promise<boolean> {
  // Asked first, so that an account which may only push is enough where the project is there.
  if (await hasProject(client, name)) return false;
  const json = { project_name: name, metadata: { public: 'false' } };
  const doing = `make project ${name}`;
  const answer = await client.call({ method: 'POST', path: '/projects', json, accept: [201, 409], doing });
  return answer.status === 201;
}

async function quotaLeft(client: HarborClient, project: string): Promise<number | undefined> {
  const path = `/projects/${encodeURIComponent(project)}/summary`;
  // A robot that may only push is told 403.
  const answer = await client.call({ method: 'GET', path, accept: [200, 403, 404], doing: `read the quota of ${project}` });
  const summary = Summary.safeParse(answer.body);
  if (answer.status !== 200 || !summary.success) return undefined;
  const hard = summary.data.quota?.hard.storage ?? -1;
  return hard < 0 ? undefined : Math.max(0, hard - (summary.data.quota?.used.storage ?? 0));
}

/** The status code is 200 even when something is down. */
async function unhealthy(client: HarborClient): Promise<readonly string[]> {
  const doing = 'read its health';
  const health = client.parsed(Health, (await client.call({ method: 'GET', path: '/health', accept: [200], doing })).body, doing);
  return health.components
    .filter(({ status }) => status !== 'healthy')
    .map(({ name, error }) => (error === undefined || error === '' ? name : `${name}: ${error}`));
}
