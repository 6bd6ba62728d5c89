import type { KubeObject } from '../cluster/port.ts';
import { MANAGED_BY } from '../cluster/system.ts';

/** A namespace that several releases may share, so it names none. */
export function renderNamespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...MANAGED_BY } } };
}
