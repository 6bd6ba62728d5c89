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
