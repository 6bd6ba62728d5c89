import { listAt, textAt } from '../cluster/fields.ts';
import type { KubeObject } from '../cluster/port.ts';
import { parseReference } from '../core/reference.ts';
import { POD_SPEC, setAt } from './manifest-pull.ts';

const LISTS = ['initContainers', 'containers'] as const;

/** Names of a workload’s containers that ask a registry at every start: by policy, or by a tag that stands for it. */
export function asksAtEveryStart(object: KubeObject): string[] {
  const path = POD_SPEC[object.kind];
  if (path === undefined) return [];
  return LISTS.flatMap((list) => listAt(object, ...path, list))
    .filter(asks)
    .map((container) => textAt(container, 'name') ?? '');
}

/** The same workload that starts with what the node holds: where there is no registry, asking one is what fails. */
export function startsWithWhatIsThere(object: KubeObject): KubeObject {
  const path = POD_SPEC[object.kind];
  if (path === undefined || asksAtEveryStart(object).length === 0) return object;
  const lists = Object.fromEntries(
    LISTS.map((list) => [list, listAt(object, ...path, list)] as const)
      .filter(([, containers]) => containers.length > 0)
      .map(([list, containers]) => [
        list,
        containers.map((one) => (asks(one) ? { ...(one as object), imagePullPolicy: 'IfNotPresent' } : one)),
      ]),
  );
  return setAt(object, path, lists) as KubeObject;
}

/** Kubernetes takes Always for latest, written or not, when nothing else is said (containers/images, defaulting). */
function asks(container: unknown): boolean {
  const policy = textAt(container, 'imagePullPolicy');
  if (policy !== undefined) return policy === 'Always';
  const image = textAt(container, 'image');
  if (image === undefined) return false;
  const { tag, digest } = parseReference(image);
  return digest === undefined && tag === 'latest';
}
