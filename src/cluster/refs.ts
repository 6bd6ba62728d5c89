import type { KubeObject, KubeRef } from './port.ts';

/** What names an object. */
export function refOf(object: KubeObject): KubeRef {
  const { apiVersion, kind, metadata } = object;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  };
}

/** One text per object, whatever version it is asked in. */
export function refKey({ apiVersion, kind, name, namespace }: KubeRef): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return [group, kind, namespace ?? '', name].join('|');
}

/** For people: `StatefulSet project/gatekeeper`. */
export function refText({ kind, name, namespace }: KubeRef): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
