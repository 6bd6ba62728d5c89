import { listAt, textAt } from './fields.ts';
import type { ClusterApi, KubeObject } from './port.ts';

/** Pods of a workload, and which of them are of its newest revision. */
export interface WorkloadPods {
  readonly current: readonly KubeObject[];
  /** Left from an older revision. */
  readonly old: readonly KubeObject[];
}

/** The pods that a workload's selector finds and that it owns, split by revision. */
export async function podsOf(api: ClusterApi, workload: KubeObject, signal?: AbortSignal): Promise<WorkloadPods> {
  const selector = selectorOf(workload);
  const namespace = workload.metadata.namespace;
  if (selector === undefined || namespace === undefined) return { current: [], old: [] };
  const options = { namespace, labelSelector: selector };
  const all = await api.list({ apiVersion: 'v1', kind: 'Pod' }, options, signal);
  if (workload.kind === 'Deployment') {
    const sets = await api.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, options, signal);
    const own = sets.filter((set) => isOwnedBy(set, workload)).sort((a, b) => revisionOf(a) - revisionOf(b));
    const newest = own.at(-1);
    const hasOwner = (pod: KubeObject): boolean => own.some((set) => isOwnedBy(pod, set));
    return split(all.filter(hasOwner), (pod) => newest !== undefined && isOwnedBy(pod, newest));
  }
  return split(
    all.filter((pod) => isOwnedBy(pod, workload)),
    (pod) => isNewest(pod, workload),
  );
}

export function isReady(pod: KubeObject): boolean {
  return listAt(pod, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
  );
}

function isNewest(pod: KubeObject, workload: KubeObject): boolean {
  const label = (name: string): string | undefined => pod.metadata.labels?.[name];
  if (workload.kind === 'StatefulSet') return label('controller-revision-hash') === textAt(workload, 'status', 'updateRevision');
  if (workload.kind === 'DaemonSet') {
    const generation = workload.metadata.annotations?.['deprecated.daemonset.template.generation'];
    return generation === undefined || label('pod-template-generation') === generation;
  }
  return true;
}

function selectorOf(workload: KubeObject): string | undefined {
  const { matchLabels } = (workload.spec as { selector?: { matchLabels?: Record<string, string> } } | undefined)?.selector ?? {};
  if (matchLabels === undefined) return undefined;
  return Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return listAt(object, 'metadata', 'ownerReferences').some((reference) => textAt(reference, 'uid') === owner.metadata.uid);
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
}

function split(pods: readonly KubeObject[], isCurrent: (pod: KubeObject) => boolean): WorkloadPods {
  return { current: pods.filter(isCurrent), old: pods.filter((pod) => !isCurrent(pod)) };
}
