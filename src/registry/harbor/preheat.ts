import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';
import type { HarborClient } from './client.ts';
import { findProject } from './projects.ts';
import { parseJson } from '../http-problem.ts';
import type { PolicyTrigger, PreheatPolicy } from '../port.ts';

const Instance = z.object({
  id: z.number(),
  name: z.string(),
  vendor: z.string(),
  endpoint: z.string(),
  auth_mode: z.string().optional(),
  auth_info: z.record(z.string(), z.string()).nullish(),
  enabled: z.boolean().optional(),
  insecure: z.boolean().optional(),
  status: z.string().optional(),
});
const Policy = z.object({
  id: z.number().optional(),
  name: z.string(),
  provider_id: z.number(),
  filters: z.string().optional(),
  trigger: z.string().optional(),
  enabled: z.boolean().optional(),
});
const Filters = z.array(z.object({ type: z.string(), value: z.unknown() }));
const Trigger = z.object({ type: z.string(), trigger_setting: z.object({ cron: z.string().optional() }).nullish() });

/** Keeps a P2P preheat policy, and the provider instance that it needs, as wanted. @throws DeliverError E_HARBOR without its project */
export async function keepPreheat(client: HarborClient, wanted: PreheatPolicy): Promise<boolean> {
  const project = await findProject(client, wanted.project);
  const doing = `keep the preheat policy ${wanted.name} of ${wanted.project}`;
  if (project === undefined) {
    throw new DeliverError('E_HARBOR', {
      what: `${client.host}: could not ${doing}.`,
      why: `There is no project ${wanted.project}.`,
      fix: 'Add it to registry.projects in the site file, or correct registry.preheat.',
    });
  }
  const instance = await keepInstance(client, wanted.provider);
  const json = {
    name: wanted.name,
    description: 'Kept by deliver as the site file says',
    project_id: project.project_id,
    provider_id: instance.id,
    // Harbor wants these two as JSON inside of JSON.
    filters: JSON.stringify([
      { type: 'repository', value: wanted.repositories ?? '**' },
      { type: 'tag', value: wanted.tags ?? '**' },
    ]),
    trigger: JSON.stringify(triggerOf(wanted.trigger)),
    enabled: true,
  };
  const path = `/projects/${encodeURIComponent(wanted.project)}/preheat/policies`;
  const found = await findPreheat(client, wanted.project, wanted.name, doing);
  if (found === undefined) {
    await client.call({ method: 'POST', path, json, accept: [201], doing });
    return true;
  }
  if (isDeepStrictEqual(essence(found), essence(json))) return instance.changed;
  const { id } = found;
  await client.call({
    method: 'PUT',
    path: `${path}/${encodeURIComponent(wanted.name)}`,
    json: { ...json, ...(id === undefined ? {} : { id }) },
    accept: [200],
    doing,
  });
  return true;
}

export async function findPreheat(
  client: HarborClient,
  project: string,
  name: string,
  doing: string,
): Promise<z.infer<typeof Policy> | undefined> {
  const path = `/projects/${encodeURIComponent(project)}/preheat/policies/${encodeURIComponent(name)}`;
  const answer = await client.call({ method: 'GET', path, accept: [200, 404], doing });
  return answer.status === 404 ? undefined : client.parsed(Policy, answer.body, doing);
}

async function keepInstance(
  client: HarborClient,
  { name, vendor, endpoint, account, insecure }: PreheatPolicy['provider'],
): Promise<{ readonly id: number; readonly changed: boolean }> {
  const doing = `keep the preheat provider ${name}`;
  const path = `/p2p/preheat/instances/${encodeURIComponent(name)}`;
  const find = async (): Promise<z.infer<typeof Instance> | undefined> => {
    const answer = await client.call({ method: 'GET', path, accept: [200, 404], doing });
    return answer.status === 404 ? undefined : client.parsed(Instance, answer.body, doing);
  };
  const found = await find();
  const authentication =
    account === undefined
      ? { auth_mode: 'NONE' }
      : { auth_mode: 'BASIC', auth_info: { username: account.username, password: account.password } };
  const json = { name, vendor, endpoint, insecure, enabled: true, ...authentication };
  if (found === undefined) {
    await client.call({ method: 'POST', path: '/p2p/preheat/instances', json, accept: [201], doing });
    return { id: client.parsed(Instance, await find(), doing).id, changed: true };
  }
  const differs =
    found.vendor !== vendor ||
    found.endpoint !== endpoint ||
    (found.auth_mode ?? 'NONE') !== json.auth_mode ||
    (found.auth_info?.['username'] ?? account?.username) !== account?.username ||
    (found.insecure ?? false) !== insecure ||
    found.enabled !== true;
  if (differs) await client.call({ method: 'PUT', path, json: { id: found.id, ...json }, accept: [200], doing });
  return { id: found.id, changed: differs };
}

function triggerOf(trigger: PolicyTrigger): z.infer<typeof Trigger> {
  if (trigger === 'manual') return { type: 'manual', trigger_setting: {} };
  return trigger === 'event'
    ? { type: 'event_based', trigger_setting: {} }
    : { type: 'scheduled', trigger_setting: { cron: trigger.cron } };
}

function essence({ provider_id, filters, trigger, enabled }: z.infer<typeof Policy>): unknown {
  const parsed = Trigger.safeParse(parseJson(trigger ?? ''));
  const list = Filters.safeParse(parseJson(filters ?? ''));
  return {
    provider_id,
    enabled: enabled ?? false,
    filters: list.success ? list.data.map(({ type, value }) => [type, value]) : [],
    trigger: parsed.success ? [parsed.data.type, parsed.data.trigger_setting?.cron ?? ''] : [],
  };
}
