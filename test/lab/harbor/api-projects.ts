import { can } from './access.ts';
import type { Routes } from './api.ts';
import { isoTime } from './context.ts';
import type { Exchange } from './context.ts';
import { badRequest, fail, forbidden, unauthorized } from './errors.ts';
import { isAuthenticated, isSysadmin } from './identity.ts';
import { matches, queryFilter, sendPage } from './paging.ts';
import { projectFor } from './project-lookup.ts';
import { usedBytes } from './quota.ts';
import { sendEmpty, sendJson } from './reply.ts';
import type { Project } from './state.ts';
import { nextId, projectNamed, repositoriesOf } from './state.ts';

interface ProjectRequest {
  project_name?: string;
  public?: boolean | null;
  metadata?: Record<string, string | null>;
  storage_limit?: number | null;
  registry_id?: number | null;
}

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

function checkMayCreate(x: Exchange): void {
  const who = x.principal;
  if (!isAuthenticated(who)) throw unauthorized();
  if (isSysadmin(who)) return;
  if (who.kind === 'robot') {
    if (who.robot.level !== 'system') throw forbidden('Only system level robot can create project');
    if (!can(x.harbor, who, 'project', 'create', null)) throw forbidden();
  } else if (x.harbor.state.settings.projectCreationRestriction === 'adminonly') {
    throw forbidden('Only system admin can create project');
  }
}

async function createProject(x: Exchange, _params: unknown, body: unknown): Promise<void> {
  checkMayCreate(x);
  const wanted = (body ?? {}) as ProjectRequest;
  const name = wanted.project_name ?? '';
  if (!NAME.test(name)) throw badRequest('project name is not in lower case or contains illegal characters');
  const { state } = x.harbor;
  if (projectNamed(state, name) !== undefined) throw fail('CONFLICT', `The project named ${name} already exists`);

  const metadata = Object.entries(wanted.metadata ?? {}).filter((entry): entry is [string, string] => entry[1] !== null);
  const limit = wanted.storage_limit ?? 0;
  const id = nextId(state, 'project');
  // In a Harbor that has lived a while the two counters have drifted apart; here they start so.
  if (state.lastIds.quota === 1) nextId(state, 'quota');
  state.projects.push({
    id,
    name,
    ownerName: x.principal.kind === 'user' ? x.principal.name : 'admin',
    metadata: { public: wanted.public === true ? 'true' : 'false', ...Object.fromEntries(metadata) },
    registryId: wanted.registry_id ?? null,
    creationTime: isoTime(x.harbor.now()),
    quotaId: nextId(state, 'quota'),
    hard: limit !== 0 && isSysadmin(x.principal) ? limit : state.settings.storagePerProject,
    blobs: {},
  });
  await x.harbor.store.commit();
  const byName = x.req.headers['x-resource-name-in-location'] === 'true';
  sendEmpty(x, 201, { Location: `/api/v2.0/projects/${byName ? name : String(id)}` });
}

const view = (x: Exchange, project: Project): object => ({
  creation_time: project.creationTime,
  metadata: project.metadata,
  name: project.name,
  owner_id: 1,
  owner_name: project.ownerName,
  project_id: project.id,
  ...(project.registryId === null ? {} : { registry_id: project.registryId }),
  repo_count: repositoriesOf(x.harbor.state, project).length,
  update_time: project.creationTime,
});

/** `name` is a FUZZY match: `p` finds p1, p2 and pub. */
function listProjects(x: Exchange): void {
  const name = x.query.get('name');
  const condition = name === null ? queryFilter(x).name : `~${name}`;
  const wantPublic = x.query.get('public');
  const seen = x.harbor.state.projects.filter(
    (project) =>
      matches(project.name, condition) &&
      (wantPublic === null || project.metadata.public === wantPublic) &&
      can(x.harbor, x.principal, 'repository', 'pull', project),
  );
  sendPage(
    x,
    seen.sort((a, b) => (a.name < b.name ? -1 : 1)).map((project) => view(x, project)),
  );
}

/** Any account may ask whether a name is taken, even a robot that may not read the project. */
function headProject(x: Exchange): void {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  const name = x.query.get('project_name') ?? '';
  sendEmpty(x, projectNamed(x.harbor.state, name) === undefined ? 404 : 200);
}

async function deleteProject(x: Exchange, params: Readonly<Record<string, string>>): Promise<void> {
  const project = projectFor(x, params.project_name_or_id ?? '', 'project', 'delete');
  const { state } = x.harbor;
  if (repositoriesOf(state, project).length > 0) {
    throw fail('PRECONDITION', 'precondition failed: the project contains repositories, can not be deleted');
  }
  state.projects.splice(state.projects.indexOf(project), 1);
  state.robots = state.robots.filter((robot) => robot.projectId !== project.id);
  state.rules = state.rules.filter((rule) => rule.projectId !== project.id);
  for (const name of Object.keys(state.repositoryBlobs)) {
    if (name.startsWith(`${project.name}/`)) Reflect.deleteProperty(state.repositoryBlobs, name);
  }
  await x.harbor.store.commit();
  sendEmpty(x, 200);
}

export const projectRoutes: Routes = {
  'POST /projects': createProject,
  'GET /projects': listProjects,
  'HEAD /projects': headProject,
  'GET /projects/{project_name_or_id}': (x, params) => {
    sendJson(x, 200, view(x, projectFor(x, params.project_name_or_id ?? '', 'project', 'read')));
  },
  'PUT /projects/{project_name_or_id}': async (x, params, body) => {
    const project = projectFor(x, params.project_name_or_id ?? '', 'project', 'update');
    for (const [key, value] of Object.entries(((body ?? {}) as ProjectRequest).metadata ?? {})) {
      if (value !== null) project.metadata[key] = value;
    }
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
  'DELETE /projects/{project_name_or_id}': deleteProject,
  'GET /projects/{project_name_or_id}/_deletable': (x, params) => {
    const project = projectFor(x, params.project_name_or_id ?? '', 'project', 'delete');
    const deletable = repositoriesOf(x.harbor.state, project).length === 0;
    sendJson(x, 200, deletable ? { deletable } : { deletable, message: 'the project contains repositories, can not be deleted' });
  },
  'GET /projects/{project_name_or_id}/summary': (x, params) => {
    const project = projectFor(x, params.project_name_or_id ?? '', 'project', 'read');
    sendJson(x, 200, {
      project_admin_count: 1,
      quota: { hard: { storage: project.hard }, used: { storage: usedBytes(project) } },
      repo_count: repositoriesOf(x.harbor.state, project).length,
    });
  },
};
