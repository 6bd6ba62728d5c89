import { accessoriesOf } from './artifacts.ts';
import type { Exchange } from './context.ts';
import { isImmutable } from './immutable.ts';
import type { Artifact, Repository, Tag } from './state.ts';

/** Go's zero time: never pulled. */
const NEVER = '0001-01-01T00:00:00.000Z';

export function tagView(x: Exchange, repository: Repository, tag: Tag): object {
  const { state } = x.harbor;
  const wanted = x.query.get('with_immutable_status') === 'true';
  return {
    artifact_id: repository.artifacts[tag.digest]?.id ?? 0,
    id: tag.id,
    immutable: wanted && isImmutable(state, repository.projectId, repository.name, tag.name),
    name: tag.name,
    pull_time: NEVER,
    push_time: tag.pushTime,
    repository_id: repository.id,
  };
}

export const accessoryView = (repository: Repository, accessory: Artifact): object => ({
  artifact_id: accessory.id,
  creation_time: accessory.pushTime,
  digest: accessory.digest,
  icon: '',
  id: accessory.id,
  size: accessory.size,
  subject_artifact_digest: accessory.subject ?? '',
  subject_artifact_id: repository.artifacts[accessory.subject ?? '']?.id ?? 0,
  subject_artifact_repo: repository.name,
  type: accessory.accessoryType ?? '',
});

export const tagsOf = (repository: Repository, artifact: Artifact): Tag[] =>
  Object.values(repository.tags).filter((tag) => tag.digest === artifact.digest);

/** Empty lists are null, as Go writes them. extra_attrs and addition_links stay empty here. */
export function artifactView(x: Exchange, repository: Repository, artifact: Artifact): object {
  const orNull = (list: object[]): object[] | null => (list.length === 0 ? null : list);
  const references = artifact.references.map((child) => ({
    child_digest: child.digest,
    child_id: repository.artifacts[child.digest]?.id ?? 0,
    parent_id: artifact.id,
    ...(child.platform === undefined ? {} : { platform: child.platform }),
    ...(child.annotations === undefined ? {} : { annotations: child.annotations }),
  }));
  const tags = x.query.get('with_tag') === 'false' ? [] : tagsOf(repository, artifact);
  const accessories = x.query.get('with_accessory') === 'true' ? accessoriesOf(repository, artifact.digest) : [];
  return {
    accessories: orNull(accessories.map((accessory) => accessoryView(repository, accessory))),
    addition_links: {},
    ...(Object.keys(artifact.annotations).length === 0 ? {} : { annotations: artifact.annotations }),
    artifact_type: artifact.artifactType,
    digest: artifact.digest,
    extra_attrs: {},
    icon: '',
    id: artifact.id,
    labels: null,
    manifest_media_type: artifact.manifestMediaType,
    media_type: artifact.mediaType,
    project_id: repository.projectId,
    pull_time: NEVER,
    push_time: artifact.pushTime,
    references: orNull(references),
    repository_id: repository.id,
    repository_name: repository.name,
    size: artifact.size,
    tags: orNull(tags.map((tag) => tagView(x, repository, tag))),
    type: artifact.type,
  };
}
