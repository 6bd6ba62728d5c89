import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { HarborClient } from './client.ts';
import type { PolicyTrigger, ReplicationPolicy } from '../port.ts';

const Registries = z.array(
  z.object({
    id: z.number(),
    name: z.string(),
    url: z.string(),
    insecure: z.boolean().optional(),
    status: z.string().optional(),
    credential: z.object({ access_key: z.string().optional() }).nullish(),
  }),
);
const Filter = z.object({ type: z.string(), value: z.unknown(), decoration: z.string().optional() });
const Policies = z.array(
  z.object({
    id: z.number(),
    name: z.string(),
    src_registry: z.object({ id: z.number().optional() }).nullish(),
    dest_registry: z.object({ id: z.number().optional() }).nullish(),
    dest_namespace: z.string().optional(),
    dest_namespace_replace_count: z.number().nullish(),
    trigger: z.object({ type: z.string(), trigger_settings: z.object({ cron: z.string().optional() }).nullish() }).nullish(),
    filters: z.array(Filter).nullish(),
    override: z.boolean().optional(),
    enabled: z.boolean().optional(),
    speed: z.number().nullish(),
  }),
);

/** Keeps a replication policy, and the registry endpoint that it needs, as wanted. */
export async function keepReplication(client: HarborClient, wanted: ReplicationPolicy): Promise<boolean> {
  const remote = await keepRemote(client, wanted);
  const doing = `keep the replication policy ${wanted.name}`;
  const found = await findReplication(client, wanted.name, doing);
  const json = requestOf(wanted, remote.id);
  if (found === undefined) {
    await client.call({ method: 'POST', path: '/replication/policies', json, accept: [201], doing });
    return true;
  }
  if (isDeepStrictEqual(essence(found), essence(json))) return remote.changed;
  await client.call({ method: 'PUT', path: `/replication/policies/${String(found.id)}`, json, accept: [200], doing });
  return true;
}

/** By its exact name: Harbor finds everything that contains it. */
export async function findReplication(
  client: HarborClient,
  name: string,
  doing: string,
): Promise<z.infer<typeof Policies>[number] | undefined> {
  const policies = await client.all('/replication/policies', { name }, Policies, doing);
  return policies.find((policy) => policy.name === name);
}

async function keepRemote(
  client: HarborClient,
  { name: policy, remote }: ReplicationPolicy,
): Promise<{ readonly id: number; readonly changed: boolean }> {
  const { url, account, insecure } = remote;
  const name = `deliver-${policy}`;
  const doing = `keep the registry endpoint ${name}`;
  const find = async (): Promise<z.infer<typeof Registries>[number] | undefined> => {
    const list = await client.all('/registries', { q: `name=${name}` }, Registries, doing);
    return list.find((registry) => registry.name === name);
  };
  const found = await find();
  if (found === undefined) {
    const credential =
      account === undefined
        ? {}
        : { credential: { type: 'basic', access_key: account.username, access_secret: account.password } };
    const json = { name, type: 'harbor', url, insecure, description: 'Made by deliver', ...credential };
    await client.call({ method: 'POST', path: '/registries', json, accept: [201], doing });
    const made = await find();
    if (made !== undefined) return { id: made.id, changed: true };
  }
  const registry = found ?? client.parsed(Registries.element, undefined, doing);
  const differs =
    registry.url !== url ||
    (registry.insecure ?? false) !== insecure ||
    (registry.credential?.access_key ?? '') !== (account?.username ?? '');
  // Harbor never shows a password again: it is written anew where the other side is said not to answer.
  if (differs || (registry.status === 'unhealthy' && account !== undefined)) {
    const json = {
      url,
      insecure,
      ...(account === undefined
        ? {}
        : { credential_type: 'basic', access_key: account.username, access_secret: account.password }),
    };
    await client.call({ method: 'PUT', path: `/registries/${String(registry.id)}`, json, accept: [200], doing });
  }
  return { id: registry.id, changed: differs };
}

function requestOf(
  wanted: ReplicationPolicy,
  remote: number,
): z.infer<typeof Policies>[number] & { readonly description: string } {
  const { repositories, tags } = wanted;
  return {
    id: 0,
    name: wanted.name,
    description: 'Kept by deliver as the site file says',
    ...(wanted.direction === 'push' ? { dest_registry: { id: remote } } : { src_registry: { id: remote } }),
    dest_namespace: '',
    // Paths stay as they are; without it Harbor would flatten them.
    dest_namespace_replace_count: 0,
    trigger: triggerOf(wanted.trigger),
    filters: [
      ...(repositories === undefined ? [] : [{ type: 'name', value: repositories }]),
      ...(tags === undefined ? [] : [{ type: 'tag', value: tags, decoration: 'matches' }]),
    ],
    override: wanted.override,
    enabled: true,
    speed: wanted.speed,
  };
}

function triggerOf(trigger: PolicyTrigger): { type: string; trigger_settings?: { cron: string } } {
  if (trigger === 'manual') return { type: 'manual' };
  return trigger === 'event' ? { type: 'event_based' } : { type: 'scheduled', trigger_settings: { cron: trigger.cron } };
}

/** What makes two policies the same: Harbor fills in what was left out. */
function essence(policy: z.infer<typeof Policies>[number]): unknown {
  return {
    from: policy.src_registry?.id ?? 0,
    to: policy.dest_registry?.id ?? 0,
    namespace: policy.dest_namespace ?? '',
    replace: policy.dest_namespace_replace_count ?? -1,
    trigger: [policy.trigger?.type ?? 'manual', policy.trigger?.trigger_settings?.cron ?? ''],
    filters: (policy.filters ?? []).map(({ type, value, decoration }) => [type, value, decoration ?? '']),
    override: policy.override ?? false,
    enabled: policy.enabled ?? false,
    speed: policy.speed ?? 0,
  };
}
