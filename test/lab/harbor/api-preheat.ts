import type { Routes } from './api.ts';
import type { Exchange } from './context.ts';
import { isoTime } from './context.ts';
import { badRequest, fail, notFound } from './errors.ts';
import { sendPage } from './paging.ts';
import { projectByName } from './project-lookup.ts';
import { sendEmpty, sendJson } from './reply.ts';
import type { PreheatInstance, PreheatPolicy, Project } from './state.ts';
import { nextId } from './state.ts';
import { demandSystem } from './system-right.ts';

interface InstanceRequest {
  name?: string;
  vendor?: string;
  endpoint?: string;
  auth_mode?: string;
  auth_info?: Record<string, string>;
  enabled?: boolean;
  insecure?: boolean;
}

interface PolicyRequest {
  name?: string;
  description?: string;
  provider_id?: number;
  filters?: string;
  trigger?: string;
  enabled?: boolean;
}

const INSTANCES = '/p2p/preheat/instances';
const POLICIES = '/projects/{project_name}/preheat/policies';

const instanceView = (instance: PreheatInstance): object => ({
  auth_mode: instance.authMode,
  ...(Object.keys(instance.authInfo).length === 0 ? {} : { auth_info: { ...instance.authInfo, password: '*****' } }),
  default: false,
  enabled: instance.enabled,
  endpoint: instance.endpoint,
  id: instance.id,
  insecure: instance.insecure,
  name: instance.name,
  status: 'Healthy',
  vendor: instance.vendor,
});

function taken(request: InstanceRequest): Omit<PreheatInstance, 'id'> {
  const { name = '', vendor = '', endpoint = '', auth_mode: authMode = '', auth_info: authInfo = {} } = request;
  if (!['dragonfly', 'kraken'].includes(vendor)) throw badRequest(`provider ${vendor} is not supported`);
  if (!['NONE', 'BASIC', 'OAUTH', 'CUSTOM'].includes(authMode)) throw badRequest(`auth mode ${authMode} is not supported`);
  if (name === '' || !/^https?:\/\//.test(endpoint)) throw badRequest('invalid instance');
  return { name, vendor, endpoint, authMode, authInfo, enabled: request.enabled ?? false, insecure: request.insecure ?? false };
}

function instanceNamed(x: Exchange, name: string): PreheatInstance {
  const instance = x.harbor.state.instances.find((one) => one.name === name);
  if (instance === undefined) throw notFound(`instance ${name} not found`);
  return instance;
}

function policyNamed(x: Exchange, project: Project, name: string): PreheatPolicy {
  const policy = x.harbor.state.preheats.find((one) => one.projectId === project.id && one.name === name);
  if (policy === undefined) throw notFound(`preheat policy ${name} not found`);
  return policy;
}

/** Both are JSON inside of JSON [src pkg/p2p/preheat/models/policy]. */
function checkPolicy(x: Exchange, { name = '', provider_id: provider, filters = '', trigger = '' }: PolicyRequest): void {
  if (name === '') throw badRequest('name: cannot be empty');
  if (!x.harbor.state.instances.some(({ id }) => id === provider)) throw notFound(`provider ${String(provider)} not found`);
  try {
    for (const { type } of JSON.parse(filters) as { type: string }[]) {
      if (!['repository', 'tag', 'label', 'signature', 'vulnerability'].includes(type))
        throw badRequest('filters: invalid filter type');
    }
    const { type, trigger_setting: setting } = JSON.parse(trigger) as { type: string; trigger_setting?: { cron?: string } };
    if (!['manual', 'scheduled', 'event_based'].includes(type)) throw badRequest('trigger: invalid trigger type');
    if (type === 'scheduled' && (setting?.cron ?? '') === '') throw badRequest('trigger: the cron string cannot be empty');
  } catch (error) {
    throw error instanceof SyntaxError ? badRequest(error.message) : error;
  }
}

const policyView = (policy: PreheatPolicy): object => ({
  creation_time: policy.creationTime,
  description: policy.description,
  enabled: policy.enabled,
  filters: policy.filters,
  id: policy.id,
  name: policy.name,
  project_id: policy.projectId,
  provider_id: policy.providerId,
  trigger: policy.trigger,
  update_time: policy.creationTime,
});

export const preheatRoutes: Routes = {
  [`GET ${INSTANCES}`]: (x) => {
    demandSystem(x, 'preheat-instance', 'list');
    sendPage(x, x.harbor.state.instances.map(instanceView));
  },
  [`GET ${INSTANCES}/{preheat_instance_name}`]: (x, params) => {
    demandSystem(x, 'preheat-instance', 'read');
    sendJson(x, 200, instanceView(instanceNamed(x, params.preheat_instance_name ?? '')));
  },
  [`POST ${INSTANCES}`]: async (x, _params, body) => {
    demandSystem(x, 'preheat-instance', 'create');
    const { state, store } = x.harbor;
    const instance = { id: nextId(state, 'instance'), ...taken(body ?? {}) };
    if (state.instances.some(({ name }) => name === instance.name))
      throw fail('CONFLICT', `instance ${instance.name} already exists`);
    state.instances.push(instance);
    await store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${String(instance.id)}` });
  },
  [`PUT ${INSTANCES}/{preheat_instance_name}`]: async (x, params, body) => {
    demandSystem(x, 'preheat-instance', 'update');
    Object.assign(instanceNamed(x, params.preheat_instance_name ?? ''), taken((body ?? {}) as InstanceRequest));
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
  [`GET ${POLICIES}/{preheat_policy_name}`]: (x, params) => {
    const project = projectByName(x, params.project_name ?? '', 'preheat-policy', 'read');
    sendJson(x, 200, policyView(policyNamed(x, project, params.preheat_policy_name ?? '')));
  },
  [`POST ${POLICIES}`]: async (x, params, body) => {
    const project = projectByName(x, params.project_name ?? '', 'preheat-policy', 'create');
    const { state, store } = x.harbor;
    const wanted = (body ?? {}) as PolicyRequest;
    checkPolicy(x, wanted);
    const { name = '', description = '', provider_id: providerId = 0, filters = '', trigger = '', enabled = false } = wanted;
    if (state.preheats.some((policy) => policy.projectId === project.id && policy.name === name))
      throw fail('CONFLICT', `preheat policy ${name} already exists`);
    const id = nextId(state, 'preheat');
    const creationTime = isoTime(x.harbor.now());
    state.preheats.push({ id, projectId: project.id, name, description, providerId, filters, trigger, enabled, creationTime });
    await store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${name}` });
  },
  [`PUT ${POLICIES}/{preheat_policy_name}`]: async (x, params, body) => {
    const project = projectByName(x, params.project_name ?? '', 'preheat-policy', 'update');
    const policy = policyNamed(x, project, params.preheat_policy_name ?? '');
    const wanted = (body ?? {}) as PolicyRequest;
    checkPolicy(x, wanted);
    policy.filters = wanted.filters ?? '';
    policy.trigger = wanted.trigger ?? '';
    policy.providerId = wanted.provider_id ?? 0;
    policy.enabled = wanted.enabled ?? false;
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
  [`POST ${POLICIES}/{preheat_policy_name}`]: async (x, params) => {
    const project = projectByName(x, params.project_name ?? '', 'preheat-policy', 'update');
    const policy = policyNamed(x, project, params.preheat_policy_name ?? '');
    const { state, store, now } = x.harbor;
    const id = nextId(state, 'execution');
    state.executions.push({ id, kind: 'preheat', policyId: policy.id, trigger: 'MANUAL', startTime: isoTime(now()) });
    await store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/executions/${String(id)}` });
  },
  [`GET ${POLICIES}/{preheat_policy_name}/executions`]: (x, params) => {
    const project = projectByName(x, params.project_name ?? '', 'preheat-policy', 'read');
    const policy = policyNamed(x, project, params.preheat_policy_name ?? '');
    const found = x.harbor.state.executions.filter(({ kind, policyId }) => kind === 'preheat' && policyId === policy.id);
    const views = found.reverse().map(({ id, trigger, startTime }) => ({
      id,
      vendor_type: 'P2P_PREHEAT',
      vendor_id: policy.id,
      status: 'Success',
      status_message: '',
      metrics: { task_count: 1, success_task_count: 1 },
      trigger,
      start_time: startTime,
      end_time: startTime,
    }));
    sendPage(x, views);
  },
};
