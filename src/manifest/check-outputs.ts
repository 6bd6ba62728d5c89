import { listAt, mapAt, valueAt, type Raw } from './raw.ts';
import { namesOf } from './parts.ts';
import { didYouMean } from './suggest.ts';
import type { FoundVariable } from './variables.ts';

/** Where any text fits, so that a plan can say “known after apply” in its place. */
const PLACES: ReadonlySet<unknown> = new Set(['env', 'command', 'args', 'secrets']);
const HELPERS: ReadonlySet<unknown> = new Set(['initContainers', 'sidecars']);

/** Why `${outputs.<app>.clusterIP}` can't be filled in where it stands; undefined when it can. */
export function outputProblem({ name, path }: FoundVariable, raw: Raw): string | undefined {
  const apps = namesOf(raw.apps, ['apps']);
  const [from = '', output = ''] = name.split('.');
  const source = apps.find(({ value }) => value === from);
  if (source === undefined)
    return `names no app of this release.${didYouMean(
      from,
      apps.map(({ value }) => value),
    )}`;
  if (output !== 'clusterIP') return 'is not an output: an app has clusterIP';
  const [top, index, field] = path;
  if (top !== 'apps' || !PLACES.has(HELPERS.has(field) ? path[4] : field)) {
    return 'is known only during the install, and can stand under env, command, args and secrets of an app only';
  }
  if (!listAt(raw, ['apps', index ?? 0, 'dependsOn']).some(({ value }) => value === from)) {
    return `needs ${from} to be there before: add it to dependsOn`;
  }
  const at = source.path.slice(0, -1);
  const ports = valueAt(raw, [...at, 'ports']);
  const type = mapAt(raw, [...at, 'service']).type;
  const hasAddress = Array.isArray(ports) && ports.length > 0 && type !== 'Headless';
  return hasAddress ? undefined : `has no value: ${from} has no service with a cluster IP`;
}
