import { isDeliverError } from '../core/errors.ts';
import { isWaited } from './health.ts';
import type { ClusterApi, KubeRef } from './port.ts';
import { statusOf, type ObjectStatus } from './status.ts';

export interface WorkloadStatus {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: ObjectStatus['state'] | 'missing';
  readonly message: string;
}

/** How the workloads among these objects are now. */
export async function readStatuses(api: ClusterApi, refs: readonly KubeRef[], signal?: AbortSignal): Promise<WorkloadStatus[]> {
  const statuses: WorkloadStatus[] = [];
  for (const ref of refs.filter(isWaited)) {
    const object = await api.get(ref, signal).catch((error: unknown) => {
      if (isDeliverError(error, 'E_APPLY')) return undefined;
      throw error;
    });
    const status = object === undefined ? { state: 'missing' as const, message: 'not in the cluster' } : statusOf(object);
    statuses.push({ kind: ref.kind, namespace: ref.namespace ?? '', name: ref.name, ...status });
  }
  return statuses;
}
