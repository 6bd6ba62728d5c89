import type { Routes } from './api.ts';
import type { Exchange } from './context.ts';
import { badRequest, forbidden, notFound, unauthorized } from './errors.ts';
import { can } from './access.ts';
import { isAuthenticated } from './identity.ts';
import { sendPage } from './paging.ts';
import { usedBytes } from './quota.ts';
import { sendEmpty, sendJson } from './reply.ts';
import type { Project } from './state.ts';

function demandQuota(x: Exchange, action: string): void {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  if (!can(x.harbor, x.principal, 'quota', action, null)) throw forbidden();
}

/** Quota ids are not project ids. */
const view = (project: Project): object => ({
  creation_time: project.creationTime,
  hard: { storage: project.hard },
  id: project.quotaId,
  ref: { id: project.id, name: project.name, owner_name: '' },
  update_time: project.creationTime,
  used: { storage: usedBytes(project) },
});

function quotaProject(x: Exchange, id: string): Project {
  const project = x.harbor.state.projects.find((candidate) => String(candidate.quotaId) === id);
  if (project === undefined) throw notFound(`quota ${id} not found`);
  return project;
}

export const quotaRoutes: Routes = {
  'GET /quotas': (x) => {
    demandQuota(x, 'list');
    const id = x.query.get('reference_id');
    const wrongKind = x.query.has('reference') && x.query.get('reference') !== 'project';
    const fits = (project: Project): boolean => !wrongKind && (id === null || String(project.id) === id);
    sendPage(x, x.harbor.state.projects.filter(fits).map(view));
  },
  'GET /quotas/{id}': (x, { id = '' }) => {
    demandQuota(x, 'read');
    sendJson(x, 200, view(quotaProject(x, id)));
  },
  'PUT /quotas/{id}': async (x, { id = '' }, body) => {
    demandQuota(x, 'update');
    const project = quotaProject(x, id);
    const storage = (body as { hard?: { storage?: number } } | undefined)?.hard?.storage;
    if (storage === undefined || (storage !== -1 && storage <= 0)) throw badRequest('invalid hard limit of storage');
    project.hard = storage;
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
