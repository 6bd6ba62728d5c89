import { artifactFor } from './api-artifacts.ts';
import type { Routes } from './api.ts';
import { tagView, tagsOf } from './artifact-view.ts';
import { setTag } from './artifacts.ts';
import { badRequest, fail, notFound } from './errors.ts';
import { checkMayDeleteTag } from './immutable.ts';
import { TAG } from './manifest.ts';
import { sendPage } from './paging.ts';
import { sendEmpty } from './reply.ts';

const TAGS = '/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags';

/** Tags made here live in core's database only; the registry behind never hears of them. */
export const tagRoutes: Routes = {
  [`GET ${TAGS}`]: (x, params) => {
    const { repository, artifact } = artifactFor(x, params, 'tag', 'list');
    sendPage(
      x,
      tagsOf(repository, artifact).map((tag) => tagView(x, repository, tag)),
    );
  },
  [`POST ${TAGS}`]: async (x, params, body) => {
    const { repository, artifact } = artifactFor(x, params, 'tag', 'create');
    const name = (body as { name?: string } | undefined)?.name ?? '';
    if (!TAG.test(name)) throw badRequest(`invalid tag name: ${name}`);
    if (repository.tags[name] !== undefined) {
      throw fail('CONFLICT', `tag ${name} already exists under the repository ${String(repository.id)}`);
    }
    setTag(x.harbor, repository, name, artifact.digest);
    await x.harbor.store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${name}` });
  },
  [`DELETE ${TAGS}/{tag_name}`]: async (x, params) => {
    const { repository, artifact } = artifactFor(x, params, 'tag', 'delete');
    const name = params.tag_name ?? '';
    if (repository.tags[name]?.digest !== artifact.digest) {
      throw notFound(`tag ${name} attached to artifact ${String(artifact.id)} not found`);
    }
    checkMayDeleteTag(x.harbor.state, repository, name);
    Reflect.deleteProperty(repository.tags, name);
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
