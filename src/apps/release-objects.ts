import { renderChecksumKey } from '../cluster/checksum-key.ts';
import type { KubeObject } from '../cluster/port.ts';
import { SYSTEM_NAMESPACE } from '../cluster/system.ts';
import { DeliverError } from '../core/errors.ts';
import type { App } from '../manifest/app-schema.ts';
import type { Release } from '../manifest/release-schema.ts';
import type { RegistryAccount } from '../registry/port.ts';
import { renderApp } from './app.ts';
import type { AppContext, FileContent } from './context.ts';
import { renderExternal } from './external.ts';
import { outputsUsed } from './fill.ts';
import { renderNamespace } from './namespace.ts';
import { orderApps } from './order.ts';
import { outputOf, type Output } from './outputs.ts';
import { pullSecretName, renderPullSecret } from './pull-secret.ts';

/** What rendering a release needs besides the release, which arrives with versions and site values filled in. */
export interface ReleaseContext extends Omit<AppContext, 'release' | 'files' | 'outputs' | 'pullSecret'> {
  /** Content of the apps' files: by name of the app, then by path in the container. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, FileContent>>;
  /** The account that pods pull with and the source hosts of all images; absent when the registry lets everyone pull. */
  readonly pull?: { readonly account: RegistryAccount; readonly hosts: readonly string[] } | undefined;
}

/** Objects that are applied together, before the next group. */
export interface ReleaseGroup {
  /** `namespaces`, `externals`, `app/gatekeeper`. */
  readonly id: string;
  readonly title: string;
  readonly app?: App;
  /** What the group takes from apps before it. */
  readonly needs: readonly Output[];
  /** The objects, given the values of `needs` by name; the same values give the same objects. */
  readonly render: (outputs: ReadonlyMap<string, string>) => KubeObject[];
}

/**
 * Everything that a release applies, in order: namespaces and pull secrets, externals, then each app after those it depends
 * on. Plan and install both walk this list, so that what is planned is what is done (design.md, promise 6).
 * @throws DeliverError E_GRAPH, E_SCHEMA, E_VARIABLE, E_NOT_YET
 */
export function renderRelease(release: Release, context: ReleaseContext): ReleaseGroup[] {
  refuseCharts(release);
  const name = release.metadata.name;
  const apps = orderApps(release).flatMap((wanted) => (release.apps ?? []).filter((app) => app.name === wanted));
  const externals = release.externals ?? [];
  refuseSharedNames(apps, externals);
  const base = baseObjects(name, apps, externals, context);
  const fixed = (id: string, title: string, objects: KubeObject[]): ReleaseGroup[] =>
    objects.length === 0 ? [] : [{ id, title, needs: [], render: () => objects }];
  return [
    ...fixed('namespaces', context.pull === undefined ? 'namespaces' : 'namespaces and pull secrets', base),
    ...fixed(
      'externals',
      'externals',
      externals.flatMap((external) => renderExternal(external, name)),
    ),
    ...apps.map((app): ReleaseGroup => ({
      id: `app/${app.name}`,
      title: `${app.namespace}/${app.name}`,
      app,
      needs: outputsUsed(app).map((output) => outputOf(output, app, release)),
      render: (outputs) =>
        renderApp(app, {
          ...context,
          release: name,
          files: context.files.get(app.name) ?? new Map<string, FileContent>(),
          outputs,
          pullSecret: context.pull === undefined ? undefined : pullSecretName(name),
        }),
    })),
  ];
}

function baseObjects(
  name: string,
  apps: readonly App[],
  externals: NonNullable<Release['externals']>,
  context: ReleaseContext,
): KubeObject[] {
  const { pull, checksumKey } = context;
  const keyed = checksumKey !== undefined && apps.some((app) => Object.keys(app.secrets ?? {}).length > 0);
  const ofApps = new Set(apps.map((app) => app.namespace));
  const all = new Set([...ofApps, ...externals.map((external) => external.namespace), ...(keyed ? [SYSTEM_NAMESPACE] : [])]);
  return [
    ...[...all].sort().map((namespace) => renderNamespace(namespace)),
    ...(keyed ? [renderChecksumKey(checksumKey)] : []),
    ...(pull === undefined
      ? []
      : [...ofApps].sort().map((namespace) => renderPullSecret(namespace, pull.account, pull.hosts, name))),
  ];
}

function refuseCharts(release: Release): void {
  const what = [
    ...(release.charts ?? []).map((chart) => `chart ${chart.name}`),
    ...(release.manifests ?? []).map(({ path }) => `manifests ${path}`),
  ];
  if (what.length === 0) return;
  throw new DeliverError('E_NOT_YET', {
    what: `${what.join(', ')}: deliver can carry this, but not apply it yet.`,
    fix: 'Apply it with helm or kubectl, and leave it out of the release that deliver installs.',
    state: 'Nothing was changed.',
  });
}

/** Both would be a Service of that name, and the second would overwrite the first. */
function refuseSharedNames(apps: readonly App[], externals: NonNullable<Release['externals']>): void {
  for (const { name, namespace } of externals) {
    if (!apps.some((app) => app.name === name && app.namespace === namespace)) continue;
    throw new DeliverError('E_GRAPH', {
      what: `An app and an external are both named ${name} in namespace ${namespace}.`,
      fix: 'Give one of them another name.',
      state: 'Nothing was changed.',
    });
  }
}
