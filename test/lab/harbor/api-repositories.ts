import type { Params, Routes } from './api.ts';
import { deleteRepository } from './artifacts.ts';
import type { Exchange } from './context.ts';
import { notFound } from './errors.ts';
import { matches, queryFilter, sendPage } from './paging.ts';
import { projectByName } from './project-lookup.ts';
import { sendEmpty, sendJson } from './reply.ts';
import type { Repository } from './state.ts';
import { repositoriesOf } from './state.ts';

const view = (repository: Repository): object => ({
  artifact_count: Object.keys(repository.artifacts).length,
  creation_time: repository.creationTime,
  id: repository.id,
  name: repository.name,
  project_id: repository.projectId,
  pull_count: repository.pullCount,
  update_time: repository.updateTime,
});

function repositoryFor(x: Exchange, params: Params, action: string): Repository {
  const project = projectByName(x, params.project_name ?? '', 'repository', action);
  const name = `${project.name}/${params.repository_name ?? ''}`;
  const repository = x.harbor.state.repositories[name];
  if (repository === undefined) throw notFound(`repository ${name} not found`);
  return repository;
}

const ONE = '/projects/{project_name}/repositories/{repository_name}';

export const repositoryRoutes: Routes = {
  'GET /projects/{project_name}/repositories': (x, params) => {
    const project = projectByName(x, params.project_name ?? '', 'repository', 'list');
    const condition = queryFilter(x).name;
    const found = repositoriesOf(x.harbor.state, project).filter((repository) => matches(repository.name, condition));
    sendPage(x, found.map(view));
  },
  [`GET ${ONE}`]: (x, params) => {
    sendJson(x, 200, view(repositoryFor(x, params, 'read')));
  },
  [`DELETE ${ONE}`]: async (x, params) => {
    deleteRepository(x.harbor, repositoryFor(x, params, 'delete'));
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
