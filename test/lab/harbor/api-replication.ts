import type { Routes } from './api.ts';
import { registryView } from './api-registries.ts';
import type { Exchange } from './context.ts';
import { isoTime } from './context.ts';
import { badRequest, fail, notFound } from './errors.ts';
import { sendPage } from './paging.ts';
import { sendEmpty } from './reply.ts';
import type { StateData, StoredPolicy } from './state.ts';
import { nextId } from './state.ts';
import { demandSystem } from './system-right.ts';

interface PolicyRequest {
  name?: string;
  src_registry?: { id?: number } | null;
  dest_registry?: { id?: number } | null;
  trigger?: { type?: string; trigger_settings?: { cron?: string } | null } | null;
  dest_namespace_replace_count?: number | null;
}

const LOCAL = { id: 0, name: 'Local', type: 'harbor', url: 'http://core:8080', insecure: true, status: 'healthy' };

/** Exactly one side is another registry, known by its id; a schedule has six fields [src controller/replication/model]. */
function checkPolicy(state: StateData, { name = '', src_registry: from, dest_registry: to, trigger }: PolicyRequest): void {
  if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name)) throw badRequest('invalid policy name');
  const sides = [from?.id ?? 0, to?.id ?? 0];
  if (sides.filter((id) => id !== 0).length !== 1)
    throw badRequest('either src_registry or dest_registry must be empty and the other one not');
  if (!state.endpoints.some(({ id }) => sides.includes(id))) throw notFound(`registry ${sides.join('')} not found`);
  const type = trigger?.type ?? 'manual';
  if (!['manual', 'scheduled', 'event_based'].includes(type)) throw badRequest(`invalid trigger type ${type}`);
  const cron = trigger?.trigger_settings?.cron ?? '';
  if (type === 'scheduled' && cron.trim().split(/\s+/).length !== 6) throw badRequest(`invalid cron string: ${cron}`);
}

/** With what Harbor fills in: both sides, and -1 for a replace count that was not given. */
function view({ state }: Exchange['harbor'], { id, name, creationTime, body }: StoredPolicy): object {
  const wanted = body as PolicyRequest;
  const side = (given: { id?: number } | null | undefined): object => {
    const endpoint = state.endpoints.find((one) => one.id === given?.id);
    return endpoint === undefined ? LOCAL : registryView(endpoint);
  };
  return {
    copy_by_chunk: false,
    ...body,
    id,
    name,
    creation_time: creationTime,
    update_time: creationTime,
    dest_namespace_replace_count: wanted.dest_namespace_replace_count ?? -1,
    src_registry: side(wanted.src_registry),
    dest_registry: side(wanted.dest_registry),
  };
}

function policyWith(x: Exchange, id: string): StoredPolicy {
  const policy = x.harbor.state.replications.find((one) => String(one.id) === id);
  if (policy === undefined) throw notFound(`replication policy ${id} not found`);
  return policy;
}

export const replicationRoutes: Routes = {
  'GET /replication/policies': (x) => {
    demandSystem(x, 'replication-policy', 'list');
    // `name` finds what contains it.
    const name = x.query.get('name') ?? '';
    sendPage(
      x,
      x.harbor.state.replications.filter((policy) => policy.name.includes(name)).map((policy) => view(x.harbor, policy)),
    );
  },
  'POST /replication/policies': async (x, _params, body) => {
    demandSystem(x, 'replication-policy', 'create');
    const { state } = x.harbor;
    const wanted = (body ?? {}) as PolicyRequest;
    checkPolicy(state, wanted);
    const name = wanted.name ?? '';
    if (state.replications.some((policy) => policy.name === name))
      throw fail('CONFLICT', `replication policy ${name} already exists`);
    const id = nextId(state, 'replication');
    state.replications.push({ id, name, creationTime: isoTime(x.harbor.now()), body: wanted as Record<string, unknown> });
    await x.harbor.store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${String(id)}` });
  },
  'PUT /replication/policies/{id}': async (x, params, body) => {
    demandSystem(x, 'replication-policy', 'update');
    const policy = policyWith(x, params.id ?? '');
    checkPolicy(x.harbor.state, body ?? {});
    policy.body = body as Record<string, unknown>;
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
  'POST /replication/executions': async (x, _params, body) => {
    demandSystem(x, 'replication', 'create');
    const { policy_id: policyId = 0 } = (body ?? {}) as { policy_id?: number };
    policyWith(x, String(policyId));
    const id = nextId(x.harbor.state, 'execution');
    x.harbor.state.executions.push({ id, kind: 'replication', policyId, trigger: 'manual', startTime: isoTime(x.harbor.now()) });
    await x.harbor.store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${String(id)}` });
  },
  'GET /replication/executions': (x) => {
    demandSystem(x, 'replication', 'list');
    const policy = x.query.get('policy_id');
    const found = x.harbor.state.executions.filter(
      ({ kind, policyId }) => kind === 'replication' && (policy === null || String(policyId) === policy),
    );
    const views = found.reverse().map(({ id, policyId, trigger, startTime }) => ({
      id,
      policy_id: policyId,
      status: 'Succeed',
      status_text: '',
      trigger,
      start_time: startTime,
      end_time: startTime,
      total: 1,
      succeed: 1,
      failed: 0,
      in_progress: 0,
      stopped: 0,
    }));
    sendPage(x, views);
  },
};
