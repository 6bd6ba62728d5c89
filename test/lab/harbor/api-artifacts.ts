import type { Params, Routes } from './api.ts';
import { artifactView, accessoryView, tagsOf } from './artifact-view.ts';
import { accessoriesOf, artifactNotFound, deleteArtifact, findArtifact, isListed } from './artifacts.ts';
import type { Exchange } from './context.ts';
import { matches, queryFilter, sendPage } from './paging.ts';
import { projectByName } from './project-lookup.ts';
import { sendEmpty, sendJson } from './reply.ts';
import type { Artifact, Repository } from './state.ts';

export interface Found {
  repository: Repository;
  artifact: Artifact;
}

export function artifactFor(x: Exchange, params: Params, resource: string, action: string): Found {
  const project = projectByName(x, params.project_name ?? '', resource, action);
  const name = `${project.name}/${params.repository_name ?? ''}`;
  const repository = x.harbor.state.repositories[name];
  const artifact = findArtifact(repository, params.reference ?? '');
  if (repository === undefined || artifact === undefined) throw artifactNotFound(name, params.reference ?? '');
  return { repository, artifact };
}

function fits(repository: Repository, artifact: Artifact, filter: Readonly<Record<string, string>>): boolean {
  const names = tagsOf(repository, artifact).map((tag) => tag.name);
  const wanted = filter.tags;
  const tagsFit =
    wanted === undefined ||
    (wanted === '*' && names.length > 0) ||
    (wanted === 'nil' && names.length === 0) ||
    names.some((name) => matches(name, wanted));
  return tagsFit && matches(artifact.digest, filter.digest) && matches(artifact.type, filter.type);
}

const ALL = '/projects/{project_name}/repositories/{repository_name}/artifacts';

export const artifactRoutes: Routes = {
  [`GET ${ALL}`]: (x, params) => {
    const project = projectByName(x, params.project_name ?? '', 'artifact', 'list');
    const repository = x.harbor.state.repositories[`${project.name}/${params.repository_name ?? ''}`];
    if (repository === undefined) {
      // A missing repository is an empty list, not a 404.
      sendPage(x, []);
      return;
    }
    const filter = queryFilter(x);
    const shown = Object.values(repository.artifacts)
      .filter((artifact) => isListed(repository, artifact) && fits(repository, artifact, filter))
      .sort((a, b) => b.id - a.id);
    sendPage(
      x,
      shown.map((artifact) => artifactView(x, repository, artifact)),
    );
  },
  [`GET ${ALL}/{reference}`]: (x, params) => {
    const { repository, artifact } = artifactFor(x, params, 'artifact', 'read');
    sendJson(x, 200, artifactView(x, repository, artifact));
  },
  [`DELETE ${ALL}/{reference}`]: async (x, params) => {
    const { repository, artifact } = artifactFor(x, params, 'artifact', 'delete');
    deleteArtifact(x.harbor, repository, artifact);
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
  [`GET ${ALL}/{reference}/accessories`]: (x, params) => {
    const { repository, artifact } = artifactFor(x, params, 'accessory', 'list');
    sendPage(
      x,
      accessoriesOf(repository, artifact.digest).map((accessory) => accessoryView(repository, accessory)),
    );
  },
};
