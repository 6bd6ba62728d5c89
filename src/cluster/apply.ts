import { isDeliverError } from '../core/errors.ts';
import { SILENT, type Report } from '../core/report.ts';
import { conflictingManagers, isImmutable, isNotFound } from './api-error.ts';
import { diffObject, type FieldChange } from './diff.ts';
import { awaitKind, definitionOf } from './definitions.ts';
import { gone } from './gone.ts';
import { byKind } from './kind-order.ts';
import type { ClusterApi, KubeObject, KubeRef } from './port.ts';
import { refOf, refText } from './refs.ts';
import { isKubeadmRewrite, isOurs, managersOf } from './owner.ts';
import { refuseUnplannable } from './refuse.ts';
import { MANAGED_BY } from './system.ts';

/** A controller that writes faster than that never lets go. */
const MOST_LOOKS = 5;

export interface ObjectPlan {
  readonly ref: KubeRef;
  readonly action: 'create' | 'change' | 'same';
  /** Empty when the action is same; one entry without a path when it is create. */
  readonly changes: readonly FieldChange[];
  /** The change can only be made by deleting the object and making it anew. */
  readonly replace?: true;
  /** Who set the fields that deliver takes over: the first time that it touches this object, and when kubeadm wrote over it. */
  readonly takenFrom?: readonly string[];
}

export interface PlanOptions {
  /** Takes over fields that another manager owns. */
  readonly force?: boolean;
  /** Takes over an object that others made (kubeadm, kubectl), the first time only; a namespace gets the labels that are said. */
  readonly adopt?: boolean;
  /** Definitions of custom kinds that come with the release; those among the objects when absent. */
  readonly definitions?: readonly KubeObject[];
  readonly signal?: AbortSignal;
}

export interface ApplyAllOptions extends PlanOptions {
  readonly report?: Report;
}

/**
 * What applying these objects would do, object by object, in the order in which it would be done; nothing is changed.
 * @throws DeliverError E_APPLY, E_CONFLICT, E_CLUSTER, E_CLUSTER_AUTH
 */
export async function planObjects(
  api: ClusterApi,
  objects: readonly KubeObject[],
  options: PlanOptions = {},
): Promise<ObjectPlan[]> {
  const namespaces = new Map<string, boolean>();
  const plans: ObjectPlan[] = [];
  const more = withDefinitions(objects, options);
  for (const object of byKind(objects)) plans.push(await planObject(api, object, more, namespaces));
  return plans;
}

/**
 * Applies the objects that differ from what the cluster has, in the order of their kinds; a second run writes nothing.
 * @returns what was done
 * @throws DeliverError E_APPLY, E_CONFLICT, E_CLUSTER, E_CLUSTER_AUTH
 */
export async function applyObjects(
  api: ClusterApi,
  objects: readonly KubeObject[],
  options: ApplyAllOptions = {},
): Promise<ObjectPlan[]> {
  const report = options.report ?? SILENT;
  const done: ObjectPlan[] = [];
  const more = withDefinitions(objects, options);
  const served = new Set<string>();
  for (const object of byKind(objects)) {
    options.signal?.throwIfAborted();
    const ref = refOf(object);
    report.progress({ done: done.length, total: objects.length, unit: 'items', detail: refText(ref) });
    // Planned one by one, right before it is applied: an object may need those before it.
    await awaitKind(api, object, { ...more, served });
    const plan = await planObject(api, object, more, new Map());
    if (plan.replace === true) await replace(api, ref, options);
    if (plan.action !== 'same')
      await api.apply(object, applyOptions(options, options.force === true || plan.takenFrom !== undefined));
    done.push(plan);
  }
  report.progress({ done: done.length, total: objects.length, unit: 'items' });
  return done;
}

async function planObject(
  api: ClusterApi,
  object: KubeObject,
  options: PlanOptions,
  namespaces: Map<string, boolean>,
): Promise<ObjectPlan> {
  const ref = refOf(object);
  const live = await lookUp(api, object, options);
  // A namespace that is there belongs to the site, labels and all, unless a manifest says what is on it.
  const untouched = object.kind === 'Namespace' && (options.adopt !== true || isBareNamespace(object));
  if (live !== undefined && untouched) return { ref, action: 'same', changes: [] };
  if (live === 'kind unknown') return creation(ref, object);
  if (live === undefined && !(await hasNamespace(api, ref, namespaces, options.signal))) return creation(ref, object);
  if (live !== undefined) refuseUnplannable(live, object);
  try {
    const { changes, takenFrom } = await takingOver(api, live, object, options);
    if (live === undefined) return { ref, action: 'create', changes };
    if (changes.length === 0) return { ref, action: 'same', changes };
    return { ref, action: 'change', changes, ...(takenFrom === undefined ? {} : { takenFrom }) };
  } catch (error) {
    // The namespace went between two questions, or can't be read.
    if (live === undefined && isNotFound(error)) return creation(ref, object);
    // A Job runs once: another template is another run.
    if (live?.kind === 'Job' && isImmutable(error)) {
      return { ref, action: 'change', replace: true, changes: [{ path: 'spec.template', kind: 'change' }] };
    }
    throw error;
  }
}

/** The changes, and whose fields they take: an adopted object is taken from whoever made it once, and from kubeadm after its upgrades. */
async function takingOver(
  api: ClusterApi,
  live: KubeObject | undefined,
  object: KubeObject,
  options: PlanOptions,
): Promise<{ readonly changes: readonly FieldChange[]; readonly takenFrom?: readonly string[] }> {
  if (live === undefined || options.adopt !== true || options.force === true)
    return { changes: await changesOf(api, live, object, options) };
  const forced = { ...options, force: true };
  if (!isOurs(live)) return { changes: await changesOf(api, live, object, forced), takenFrom: managersOf(live) };
  try {
    return { changes: await changesOf(api, live, object, options) };
  } catch (error) {
    if (!isKubeadmRewrite(error, live)) throw error;
    return { changes: await changesOf(api, live, object, forced), takenFrom: conflictingManagers(error) };
  }
}

/** What a dry run would change; asked again when a controller wrote in between, whose change is not deliver's. */
async function changesOf(
  api: ClusterApi,
  seen: KubeObject | undefined,
  object: KubeObject,
  options: PlanOptions,
): Promise<readonly FieldChange[]> {
  let live = seen;
  for (let attempt = 1; ; attempt++) {
    const next = await api.apply(object, { ...applyOptions(options), dryRun: true });
    const changes = diffObject(live, next);
    const moved = live !== undefined && next.metadata.resourceVersion !== live.metadata.resourceVersion;
    if (changes.length === 0 || !moved || attempt === MOST_LOOKS) return changes;
    live = (await api.get(refOf(object), options.signal)) ?? live;
  }
}

/** In a namespace that is not there even a dry run fails. */
async function hasNamespace(api: ClusterApi, ref: KubeRef, known: Map<string, boolean>, signal?: AbortSignal): Promise<boolean> {
  if (ref.namespace === undefined) return true;
  const cached = known.get(ref.namespace);
  if (cached !== undefined) return cached;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: ref.namespace };
  const found = await api.get(namespace, signal).catch((error: unknown) => {
    // An account for one namespace may not read namespaces: the dry run will tell.
    if (isDeliverError(error, 'E_CLUSTER_AUTH')) return true;
    throw error;
  });
  known.set(ref.namespace, found !== undefined);
  return found !== undefined;
}

async function replace(api: ClusterApi, ref: KubeRef, options: PlanOptions): Promise<void> {
  await api.delete(ref, { propagation: 'Foreground', signal: options.signal });
  await gone(api, ref, options.signal);
}

/** An object whose kind comes with the same release can’t be there yet. */
async function lookUp(
  api: ClusterApi,
  object: KubeObject,
  options: PlanOptions,
): Promise<KubeObject | undefined | 'kind unknown'> {
  try {
    return await api.get(refOf(object), options.signal);
  } catch (error) {
    if (isDeliverError(error, 'E_APPLY') && definitionOf(object, options.definitions ?? []) !== undefined) return 'kind unknown';
    throw error;
  }
}

function isBareNamespace({ metadata }: KubeObject): boolean {
  const { name: _name, labels, ...rest } = metadata;
  return Object.keys(rest).length === 0 && Object.keys(labels ?? {}).every((key) => key in MANAGED_BY);
}

function withDefinitions<Options extends PlanOptions>(objects: readonly KubeObject[], options: Options): Options {
  if (options.definitions !== undefined) return options;
  return { ...options, definitions: objects.filter(({ kind }) => kind === 'CustomResourceDefinition') };
}

function creation(ref: KubeRef, object: KubeObject): ObjectPlan {
  return { ref, action: 'create', changes: diffObject(undefined, object) };
}

function applyOptions(options: PlanOptions, force = options.force ?? false): { force: boolean; signal?: AbortSignal } {
  return { force, ...(options.signal === undefined ? {} : { signal: options.signal }) };
}
