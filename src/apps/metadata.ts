import type { KubeMetadata } from '../cluster/port.ts';
import { MANAGED_BY, RELEASE_LABEL } from '../cluster/system.ts';

interface Named {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Metadata with the labels by which deliver knows its own objects. They stay out of selectors and pod templates. */
export function metadataOf(named: Named, release: string): KubeMetadata {
  return {
    name: named.name,
    ...(named.namespace === undefined ? {} : { namespace: named.namespace }),
    labels: { ...named.labels, ...MANAGED_BY, [RELEASE_LABEL]: release },
    ...whenFilled('annotations', named.annotations),
  };
}

/** `{key: value}` when the record or list holds something, otherwise nothing: the API server drops empty ones anyway. */
export function whenFilled<Key extends string, Value extends object>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  if (value === undefined || Object.keys(value).length === 0) return {};
  return { [key]: value } as Record<Key, Value>;
}
