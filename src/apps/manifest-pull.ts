import { fieldAt, listAt } from '../cluster/fields.ts';
import type { KubeObject } from '../cluster/port.ts';

/** Where kinds of Kubernetes have their pod spec. */
export const POD_SPEC: Readonly<Partial<Record<string, readonly string[]>>> = {
  Pod: ['spec'],
  ...Object.fromEntries(
    ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map((kind) => [
      kind,
      ['spec', 'template', 'spec'],
    ]),
  ),
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/**
 * The object with the pull secret for its pods, unless it names one itself. Its service accounts get it as well, for pods that
 * a controller makes of its own (the helper of local-path).
 */
export function withPullSecret(object: KubeObject, secret: string): KubeObject {
  const path = object.kind === 'ServiceAccount' ? [] : POD_SPEC[object.kind];
  if (path === undefined || listAt(object, ...path, 'imagePullSecrets').length > 0) return object;
  return setAt(object, path, { imagePullSecrets: [{ name: secret }] }) as KubeObject;
}

/** Namespaces in which the objects run pods: those need the pull secret. */
export function podNamespaces(objects: readonly KubeObject[]): string[] {
  const names = objects
    .filter(({ kind }) => kind in POD_SPEC || kind === 'ServiceAccount')
    .flatMap(({ metadata }) => metadata.namespace ?? []);
  return [...new Set(names)].sort();
}

/** A copy with these fields in the record at a path. */
export function setAt(value: unknown, path: readonly string[], more: object): Record<string, unknown> {
  const record = (value ?? {}) as Record<string, unknown>;
  const [first, ...rest] = path;
  return first === undefined ? { ...record, ...more } : { ...record, [first]: setAt(fieldAt(record, first), rest, more) };
}
