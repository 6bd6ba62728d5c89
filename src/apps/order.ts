import { DeliverError } from '../core/errors.ts';
import type { Release } from '../manifest/release-schema.ts';

/**
 * Names of the release's apps so that each comes after those it depends on; otherwise in the release's own order.
 * Externals are applied before all apps, so a dependency on one is always met.
 * @throws DeliverError E_GRAPH for a name that does not exist, a name used twice, or a circle
 */
export function orderApps(release: Pick<Release, 'apps' | 'externals' | 'charts'>): string[] {
  const apps = new Map<string, readonly string[]>();
  for (const app of release.apps ?? []) {
    if (apps.has(app.name)) throw graphError(`Two apps are named ${app.name}.`, 'Give one of them another name.');
    apps.set(app.name, app.dependsOn ?? []);
  }
  const others = new Set([...(release.externals ?? []), ...(release.charts ?? [])].map(({ name }) => name));
  const ordered: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.includes(name)) return;
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ');
      throw graphError(`Apps depend on each other in a circle: ${circle}.`, 'Remove one of these dependsOn entries.');
    }
    for (const dependency of apps.get(name) ?? []) {
      if (apps.has(dependency)) visit(dependency, [...path, name]);
      else if (!others.has(dependency)) {
        throw graphError(
          `App ${name} depends on ${dependency}, which is not in the release.`,
          'Correct the name under dependsOn.',
        );
      }
    }
    ordered.push(name);
  };
  for (const name of apps.keys()) visit(name, []);
  return ordered;
}

function graphError(what: string, fix: string): DeliverError {
  return new DeliverError('E_GRAPH', { what, fix, state: 'Nothing was changed.' });
}
