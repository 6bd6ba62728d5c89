import type { Routes } from './api.ts';
import { isoTime } from './context.ts';
import { badRequest, fail, notFound } from './errors.ts';
import { matches, queryFilter, sendPage } from './paging.ts';
import { sendEmpty } from './reply.ts';
import type { Endpoint } from './state.ts';
import { nextId } from './state.ts';
import { demandSystem } from './system-right.ts';

interface RegistryRequest {
  name?: string;
  type?: string;
  url?: string;
  insecure?: boolean;
  description?: string;
  credential?: { access_key?: string; access_secret?: string };
}

interface RegistryUpdate {
  url?: string | null;
  insecure?: boolean | null;
  access_key?: string | null;
  access_secret?: string | null;
}

/** A secret is never shown again [src server/v2.0/handler/registry.go]. */
export const registryView = (registry: Endpoint): object => ({
  creation_time: registry.creationTime,
  ...(registry.accessKey === '' ? {} : { credential: { access_key: registry.accessKey, access_secret: '*****', type: 'basic' } }),
  description: registry.description,
  id: registry.id,
  insecure: registry.insecure,
  name: registry.name,
  status: 'healthy',
  type: registry.type,
  update_time: registry.creationTime,
  url: registry.url,
});

export const registryRoutes: Routes = {
  'GET /registries': (x) => {
    demandSystem(x, 'registry', 'list');
    const { name } = queryFilter(x);
    sendPage(x, x.harbor.state.endpoints.filter((registry) => matches(registry.name, name)).map(registryView));
  },
  'POST /registries': async (x, _params, body) => {
    demandSystem(x, 'registry', 'create');
    const { name = '', type = '', url = '', insecure = false, description = '', credential } = (body ?? {}) as RegistryRequest;
    const { state } = x.harbor;
    if (name === '' || type === '' || url === '') throw badRequest('name, type and url of a registry are required');
    if (state.endpoints.some((registry) => registry.name === name)) throw fail('CONFLICT', `registry ${name} already exists`);
    const id = nextId(state, 'endpoint');
    state.endpoints.push({
      id,
      name,
      type,
      url,
      insecure,
      description,
      accessKey: credential?.access_key ?? '',
      accessSecret: credential?.access_secret ?? '',
      creationTime: isoTime(x.harbor.now()),
    });
    await x.harbor.store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${String(id)}` });
  },
  'PUT /registries/{id}': async (x, params, body) => {
    demandSystem(x, 'registry', 'update');
    const registry = x.harbor.state.endpoints.find(({ id }) => String(id) === params.id);
    if (registry === undefined) throw notFound(`registry ${params.id ?? ''} not found`);
    const update = (body ?? {}) as RegistryUpdate;
    registry.url = update.url ?? registry.url;
    registry.insecure = update.insecure ?? registry.insecure;
    registry.accessKey = update.access_key ?? registry.accessKey;
    registry.accessSecret = update.access_secret ?? registry.accessSecret;
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
