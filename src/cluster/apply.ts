import { isDeliverError } from '../core/errors.ts';
import { SILENT, type Report } from '../core/report.ts';
import { isImmutable, isNotFound } from './api-error.ts';
import { diffObject, type FieldChange } from './diff.ts';
import { gone } from './gone.ts';
import { byKind } from './kind-order.ts';
import type { ClusterApi, KubeObject, KubeRef } from './port.ts';
import { refOf, refText } from './refs.ts';
import { refuseUnplannable } from './refuse.ts';

/** A controller that writes faster than that never lets go. */
const MOST_LOOKS = 5;

export interface ObjectPlan {
  readonly ref: KubeRef;
  readonly action: 'create' | 'change' | 'same';
  /** Empty when the action is same; one entry without a path when it is create. */
  readonly changes: readonly FieldChange[];
  /** The change can only be made by deleting the object and making it anew. */
  readonly replace?: true;
}

export interface PlanOptions {
  /** Takes over fields that another manager owns. */
  readonly force?: boolean;
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
  for (const object of byKind(objects)) plans.push(await planObject(api, object, options, namespaces));
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
  for (const object of byKind(objects)) {
    options.signal?.throwIfAborted();
    const ref = refOf(object);
    report.progress({ done: done.length, total: objects.length, unit: 'items', detail: refText(ref) });
    // Planned one by one, right before it is applied: an object may need those before it.
    const plan = await planObject(api, object, options, new Map());
    if (plan.replace === true) await replace(api, ref, options);
    if (plan.action !== 'same') await api.apply(object, applyOptions(options));
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
  const live = await api.get(ref, options.signal);
  // A namespace that is there belongs to the site, labels and all.
  if (object.kind === 'Namespace' && live !== undefined) return { ref, action: 'same', changes: [] };
  if (live === undefined && !(await hasNamespace(api, ref, namespaces, options.signal))) return creation(ref, object);
  if (live !== undefined) refuseUnplannable(live, object);
  try {
    const changes = await changesOf(api, live, object, options);
    if (live === undefined) return { ref, action: 'create', changes };
    return { ref, action: changes.length === 0 ? 'same' : 'change', changes };
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

function creation(ref: KubeRef, object: KubeObject): ObjectPlan {
  return { ref, action: 'create', changes: diffObject(undefined, object) };
}

function applyOptions(options: PlanOptions): { force: boolean; signal?: AbortSignal } {
  return { force: options.force ?? false, ...(options.signal === undefined ? {} : { signal: options.signal }) };
}
