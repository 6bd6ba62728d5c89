import { fail } from './errors.ts';
import type { Artifact, Repository, Selector, StateData } from './state.ts';

/** The doublestar patterns of Harbor's selectors: `**`, `*`, `?` and `{a,b}`. */
export function patternMatches(pattern: string, text: string): boolean {
  const source = pattern.replace(/\*\*|[*?{},.+^$()|[\]\\]/g, (token) => {
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token === '{') return '(?:';
    if (token === '}') return ')';
    if (token === ',') return '|';
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`).test(text);
}

const selects = (selectors: readonly Selector[], text: string): boolean =>
  selectors.every((selector) => patternMatches(selector.pattern, text) !== /excludes$/i.test(selector.decoration));

const shortName = (repository: string): string => repository.slice(repository.indexOf('/') + 1);

export function isImmutable(state: StateData, projectId: number, repository: string, tag: string): boolean {
  return state.rules.some(
    (rule) =>
      rule.projectId === projectId &&
      !rule.disabled &&
      selects(rule.repositorySelectors, shortName(repository)) &&
      selects(rule.tagSelectors, tag),
  );
}

/** Only the tag's existence counts: pushing the very same digest again is refused too. */
export function checkMayPush(state: StateData, repository: Repository | undefined, tag: string): void {
  if (repository?.tags[tag] === undefined) return;
  if (!isImmutable(state, repository.projectId, repository.name, tag)) return;
  throw fail('PRECONDITION', `Failed to process request due to '${shortName(repository.name)}:${tag}' configured as immutable.`);
}

export function checkMayDeleteTag(state: StateData, repository: Repository, tag: string): void {
  if (!isImmutable(state, repository.projectId, repository.name, tag)) return;
  throw fail('PRECONDITION', `the tag ${tag} configured as immutable, cannot be deleted`);
}

export function checkMayDelete(state: StateData, repository: Repository, artifact: Artifact): void {
  for (const tag of Object.values(repository.tags)) {
    if (tag.digest === artifact.digest) checkMayDeleteTag(state, repository, tag.name);
  }
}
