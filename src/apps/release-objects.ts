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
import { refuseTwice, isNetwork, type ManifestPart } from './manifest-part.ts';
import { podNamespaces, withPullSecret } from './manifest-pull.ts';
import { renderNamespace } from './namespace.ts';
import { orderParts, type OrderedPart } from './order.ts';
import { outputOf, type Output } from './outputs.ts';
import { pullSecretName, renderPullSecret } from './pull-secret.ts';

/** Namespaces that every cluster has. */
const KUBERNETES_OWN = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** What rendering a release needs besides the release, which arrives with versions and site values filled in. */
export interface ReleaseContext extends Omit<AppContext, 'release' | 'files' | 'outputs' | 'pullSecret'> {
  /** Content of the apps' files: by name of the app, then by path in the container. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, FileContent>>;
  /** The entries of `manifests:` in the release's order. */
  readonly manifests?: readonly ManifestPart[];
  /** The account that pods pull with and the source hosts of all images; absent when the registry lets everyone pull. */
  readonly pull?: { readonly account: RegistryAccount; readonly hosts: readonly string[] } | undefined;
}

/** Objects that are applied together, before the next group. */
export interface ReleaseGroup {
  /** `namespaces`, `externals`, `app/gatekeeper`, `manifests/flannel`. */
  readonly id: string;
  readonly title: string;
  /** The step of an install that applies it. */
  readonly step: 'addons' | 'namespaces' | 'externals' | 'apps';
  readonly app?: App;
  /** It may take over objects that others made, once. */
  readonly adopt?: true;
  /** Set for manifests. `network`: it brings the pod network; `after`: names that it waits for. */
  readonly manifests?: { readonly network: boolean; readonly after: readonly string[] };
  /** What the group takes from apps before it. */
  readonly needs: readonly Output[];
  /** The objects, given the values of `needs` by name; the same values give the same objects. */
  readonly render: (outputs: ReadonlyMap<string, string>) => KubeObject[];
}

/**
 * Everything that a release applies, in order: manifests (the pod network first), namespaces and pull secrets, externals, then
 * apps, and manifests that wait for them, each after what it depends on. Plan and install both walk this list, so that what
 * is planned is what is done (design.md, promise 6).
 * @throws DeliverError E_GRAPH, E_SCHEMA, E_VARIABLE, E_NOT_YET
 */
export function renderRelease(release: Release, context: ReleaseContext): ReleaseGroup[] {
  refuseCharts(release);
  const name = release.metadata.name;
  const apps = release.apps ?? [];
  const externals = release.externals ?? [];
  const parts = orderParts(release);
  refuseSharedNames(apps, externals);
  refuseTwice(context.manifests ?? []);
  const fixed = (step: 'addons' | 'namespaces' | 'externals', title: string, objects: KubeObject[]): ReleaseGroup[] =>
    objects.length === 0
      ? []
      : [{ id: step, title, step, needs: [], render: () => objects, ...(step === 'addons' ? { adopt: true } : {}) }];
  const withSecrets = context.pull === undefined ? 'namespaces' : 'namespaces and pull secrets';
  const groups = parts.flatMap((part) => groupOf(part, release, context));
  return [
    ...fixed('addons', `${withSecrets} of add-ons`, addonBase(name, context)),
    ...groups.filter(({ manifests }) => manifests?.network === true),
    ...groups.filter(({ step, manifests }) => step === 'addons' && manifests?.network !== true),
    ...fixed('namespaces', withSecrets, baseObjects(name, apps, externals, context)),
    ...fixed(
      'externals',
      'externals',
      externals.flatMap((external) => renderExternal(external, name)),
    ),
    ...groups.filter(({ step }) => step === 'apps'),
  ];
}

function groupOf({ kind, index, dependsOn, late }: OrderedPart, release: Release, context: ReleaseContext): ReleaseGroup[] {
  const name = release.metadata.name;
  const secret = context.pull === undefined ? undefined : pullSecretName(name);
  if (kind === 'manifests') {
    const part = context.manifests?.[index];
    if (part === undefined) throw new DeliverError('E_BUG', { what: 'The manifests of the release were not read.' });
    const objects = part.objects
      .filter(({ kind: own }) => own !== 'Namespace')
      .map((object) => (secret === undefined ? object : withPullSecret(object, secret)));
    return [
      {
        id: `manifests/${part.title}`,
        title: part.title,
        step: late ? 'apps' : 'addons',
        adopt: true,
        manifests: { network: !late && isNetwork(objects), after: dependsOn },
        needs: [],
        render: () => objects,
      },
    ];
  }
  const app = release.apps?.[index];
  if (app === undefined) return [];
  return [
    {
      id: `app/${app.name}`,
      title: `${app.namespace}/${app.name}`,
      step: 'apps',
      app,
      needs: outputsUsed(app).map((output) => outputOf(output, app, release)),
      render: (outputs) =>
        renderApp(app, {
          ...context,
          release: name,
          files: context.files.get(app.name) ?? new Map<string, FileContent>(),
          outputs,
          pullSecret: secret,
        }),
    },
  ];
}

/** Namespaces that manifests use and don't bring, and the pull secret where they run pods. */
function addonBase(name: string, { manifests = [], pull }: ReleaseContext): KubeObject[] {
  const objects = manifests.flatMap((part) => part.objects);
  const brought = objects.filter(({ kind }) => kind === 'Namespace');
  const used = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const there = new Set([...KUBERNETES_OWN, ...brought.map(({ metadata }) => metadata.name)]);
  const own = [...used].filter((namespace) => !there.has(namespace)).sort();
  return [
    ...brought.filter((one, index) => brought.findIndex(({ metadata }) => metadata.name === one.metadata.name) === index),
    ...own.map((namespace) => renderNamespace(namespace)),
    ...(pull === undefined
      ? []
      : podNamespaces(objects).map((namespace) => renderPullSecret(namespace, pull.account, pull.hosts, name))),
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
  const pods = new Set(podNamespaces((context.manifests ?? []).flatMap(({ objects }) => objects)));
  return [
    ...[...all].sort().map((namespace) => renderNamespace(namespace)),
    ...(keyed ? [renderChecksumKey(checksumKey)] : []),
    ...(pull === undefined
      ? []
      : [...ofApps]
          .filter((namespace) => !pods.has(namespace))
          .sort()
          .map((namespace) => renderPullSecret(namespace, pull.account, pull.hosts, name))),
  ];
}

function refuseCharts(release: Release): void {
  const what = (release.charts ?? []).map((chart) => `chart ${chart.name}`);
  if (what.length === 0) return;
  throw new DeliverError('E_NOT_YET', {
    what: `${what.join(', ')}: deliver can carry this, but not apply it yet.`,
    fix: 'On the connected side render it (helm template NAME CHART > chart.yaml), name that file under manifests: in its place, and pack again.',
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
