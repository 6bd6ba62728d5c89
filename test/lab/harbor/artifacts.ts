import type { Harbor } from './context.ts';
import { isoTime } from './context.ts';
import { fail, notFound } from './errors.ts';
import { checkMayDelete } from './immutable.ts';
import type { Artifact, Project, Repository } from './state.ts';
import { nextId, projectWithId } from './state.ts';

export const isDigest = (reference: string): boolean => reference.includes(':');

export function findArtifact(repository: Repository | undefined, reference: string): Artifact | undefined {
  const digest = isDigest(reference) ? reference : repository?.tags[reference]?.digest;
  return digest === undefined ? undefined : repository?.artifacts[digest];
}

export function artifactNotFound(repository: string, reference: string): Error {
  return notFound(`artifact ${repository}${isDigest(reference) ? '@' : ':'}${reference} not found`);
}

/** A repository exists in Harbor from its first manifest on. */
export function ensureRepository(harbor: Harbor, project: Project, name: string): Repository {
  const now = isoTime(harbor.now());
  return (harbor.state.repositories[name] ??= {
    id: nextId(harbor.state, 'repository'),
    projectId: project.id,
    name,
    creationTime: now,
    updateTime: now,
    pullCount: 0,
    artifacts: {},
    tags: {},
  });
}

export function setTag(harbor: Harbor, repository: Repository, name: string, digest: string): void {
  const known = repository.tags[name];
  const pushTime = isoTime(harbor.now());
  repository.tags[name] = { id: known?.id ?? nextId(harbor.state, 'tag'), name, digest, pushTime };
  repository.updateTime = pushTime;
}

export const accessoriesOf = (repository: Repository, digest: string): Artifact[] =>
  Object.values(repository.artifacts).filter((artifact) => artifact.accessoryType !== null && artifact.subject === digest);

const isChild = (repository: Repository, digest: string): boolean =>
  Object.values(repository.artifacts).some((other) => other.references.some((child) => child.digest === digest));

/** Harbor's list shows what is tagged or has no parent; accessories never, not even tagged ones. */
export const isListed = (repository: Repository, artifact: Artifact): boolean =>
  artifact.accessoryType === null &&
  (Object.values(repository.tags).some((tag) => tag.digest === artifact.digest) || !isChild(repository, artifact.digest));

function forget(harbor: Harbor, repository: Repository, artifact: Artifact): void {
  Reflect.deleteProperty(repository.artifacts, artifact.digest);
  for (const tag of Object.values(repository.tags)) {
    if (tag.digest === artifact.digest) Reflect.deleteProperty(repository.tags, tag.name);
  }
  for (const accessory of accessoriesOf(repository, artifact.digest)) forget(harbor, repository, accessory);

  const project = projectWithId(harbor.state, repository.projectId);
  if (project === undefined) return;
  const left = Object.values(harbor.state.repositories).filter((other) => other.projectId === project.id);
  const inUse = new Set(left.flatMap((other) => Object.values(other.artifacts)).flatMap((a) => [a.digest, ...a.blobs]));
  for (const digest of [artifact.digest, ...artifact.blobs]) {
    if (!inUse.has(digest)) Reflect.deleteProperty(project.blobs, digest);
  }
}

/**
 * Removes it from core's database with its tags and its referrers, and gives back the quota.
 * The registry keeps manifest and blobs until a garbage collection, which is not emulated.
 */
export function deleteArtifact(harbor: Harbor, repository: Repository, artifact: Artifact): void {
  checkMayDelete(harbor.state, repository, artifact);
  if (isChild(repository, artifact.digest)) {
    throw fail('VIOLATE_FOREIGN_KEY_CONSTRAINT', 'the deleting artifact is referenced by others');
  }
  forget(harbor, repository, artifact);
}

export function deleteRepository(harbor: Harbor, repository: Repository): void {
  for (const artifact of Object.values(repository.artifacts)) checkMayDelete(harbor.state, repository, artifact);
  for (const artifact of Object.values(repository.artifacts)) forget(harbor, repository, artifact);
  Reflect.deleteProperty(harbor.state.repositories, repository.name);
}
