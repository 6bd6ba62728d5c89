import { DeliverError } from '../core/errors.ts';
import type { Release } from '../manifest/release-schema.ts';

type Parts = Pick<Release, 'apps' | 'externals' | 'charts' | 'manifests'>;

/** A thing of a release that is applied and awaited as one. */
export interface OrderedPart {
  readonly name: string;
  readonly kind: 'app' | 'manifests';
  /** Its place in `apps:` or `manifests:`. */
  readonly index: number;
  readonly dependsOn: readonly string[];
  /** It waits for an app or an external, itself or through another: it can’t come before them. */
  readonly late: boolean;
}

/** How an entry of `manifests:` is named in messages and in the order: by its name, else by its path. */
export function manifestTitle({ name, path }: NonNullable<Release['manifests']>[number]): string {
  return name ?? path;
}

/**
 * The parts of a release so that each comes after those it depends on: manifests, then apps, otherwise in the release’s own
 * order. Externals are applied before all that is late, so a dependency on one is always met.
 * @throws DeliverError E_GRAPH for a name that does not exist, a name used twice, or a circle
 */
export function orderParts(release: Parts): OrderedPart[] {
  const parts = new Map<string, Omit<OrderedPart, 'late'>>();
  const add = (part: Omit<OrderedPart, 'late'>): void => {
    if (parts.has(part.name))
      throw graphError(`Two ${part.kind === 'app' ? 'apps' : 'parts'} are named ${part.name}.`, 'Give one of them another name.');
    parts.set(part.name, part);
  };
  for (const [index, entry] of (release.manifests ?? []).entries())
    add({ name: manifestTitle(entry), kind: 'manifests', index, dependsOn: entry.dependsOn ?? [] });
  for (const [index, app] of (release.apps ?? []).entries())
    add({ name: app.name, kind: 'app', index, dependsOn: app.dependsOn ?? [] });
  const others = new Set([...(release.externals ?? []), ...(release.charts ?? [])].map(({ name }) => name));
  return sorted(parts, others);
}

/** Names of the release’s apps in that order. */
export function orderApps(release: Parts): string[] {
  return orderParts(release).flatMap(({ kind, name }) => (kind === 'app' ? [name] : []));
}

function sorted(parts: ReadonlyMap<string, Omit<OrderedPart, 'late'>>, others: ReadonlySet<string>): OrderedPart[] {
  const ordered = new Map<string, OrderedPart>();
  const visit = (part: Omit<OrderedPart, 'late'>, path: readonly string[]): void => {
    const { name, kind, dependsOn } = part;
    if (ordered.has(name)) return;
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ');
      throw graphError(
        `${kind === 'app' ? 'Apps' : 'Manifests'} depend on each other in a circle: ${circle}.`,
        'Remove one of these dependsOn entries.',
      );
    }
    for (const dependency of dependsOn) {
      const other = parts.get(dependency);
      if (other !== undefined) visit(other, [...path, name]);
      else if (!others.has(dependency)) {
        throw graphError(
          `${kind === 'app' ? 'App' : 'Manifests'} ${name} depends on ${dependency}, which is not in the release.`,
          'Correct the name under dependsOn.',
        );
      }
    }
    const late = kind === 'app' || dependsOn.some((dependency) => ordered.get(dependency)?.late ?? true);
    ordered.set(name, { ...part, late });
  };
  for (const part of parts.values()) visit(part, []);
  return [...ordered.values()];
}

function graphError(what: string, fix: string): DeliverError {
  return new DeliverError('E_GRAPH', { what, fix, state: 'Nothing was changed.' });
}
