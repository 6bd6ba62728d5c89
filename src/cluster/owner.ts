import { conflictingManagers } from './api-error.ts';
import { listAt, textAt } from './fields.ts';
import type { KubeObject } from './port.ts';

/** One name across all versions: the API server knows by it which fields are deliver's. */
export const FIELD_MANAGER = 'deliver';

/** True when deliver has applied this object before. */
export function isOurs(live: KubeObject): boolean {
  return listAt(live, 'metadata', 'managedFields').some(
    (entry) => textAt(entry, 'manager') === FIELD_MANAGER && textAt(entry, 'operation') === 'Apply',
  );
}

/** Who set fields of the object: `kubeadm`. */
export function managersOf(live: KubeObject): string[] {
  const own = listAt(live, 'metadata', 'managedFields').filter((entry) => textAt(entry, 'subresource') === undefined);
  return [...new Set(own.flatMap((entry) => textAt(entry, 'manager') ?? []))].sort();
}

/** kubeadm’s field manager: init and every upgrade put its add-ons (CoreDNS, kube-proxy) back as it knows them. */
const KUBEADM = 'kubeadm';

/**
 * True when a conflict is only about what kubeadm wrote over deliver’s fields: it replaces whole objects, and so owns from then on
 * each field that it gave another value. What it had before deliver last applied the object is kubeadm’s own and stays a conflict.
 */
export function isKubeadmRewrite(error: unknown, live: KubeObject): boolean {
  const managers = conflictingManagers(error);
  if (managers.length === 0 || managers.some((name) => name !== KUBEADM)) return false;
  const ours = writtenAt(live, FIELD_MANAGER, 'Apply');
  // Seconds are all that the API server keeps.
  return ours !== undefined && (writtenAt(live, KUBEADM, 'Update') ?? '') >= ours;
}

/** Time of a manager’s last write, RFC 3339 in UTC: texts that sort. */
function writtenAt(live: KubeObject, manager: string, operation: 'Apply' | 'Update'): string | undefined {
  const own = listAt(live, 'metadata', 'managedFields').filter(
    (entry) =>
      textAt(entry, 'manager') === manager &&
      textAt(entry, 'operation') === operation &&
      textAt(entry, 'subresource') === undefined,
  );
  return own
    .flatMap((entry) => textAt(entry, 'time') ?? [])
    .sort()
    .at(-1);
}
