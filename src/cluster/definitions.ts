import { isDeliverError } from '../core/errors.ts';
import { waitHealthy } from './health.ts';
import { pause } from './pause.ts';
import type { ClusterApi, KubeObject } from './port.ts';
import { refOf } from './refs.ts';
import { servedVersions } from './scope.ts';

/** Seconds between “Established” and the kind being served; measured in tenths of one. */
const MOST_TRIES = 60;
const BETWEEN = 500;

/** The definition that makes the object’s kind, when it is among these. */
export function definitionOf(
  object: Pick<KubeObject, 'apiVersion' | 'kind'>,
  definitions: readonly KubeObject[],
): KubeObject | undefined {
  return definitions.find((definition) =>
    servedVersions(definition).some(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind),
  );
}

export interface AwaitKind {
  readonly definitions?: readonly KubeObject[];
  /** Kinds that are known to be served; grows. */
  readonly served: Set<string>;
  readonly signal?: AbortSignal;
}

/**
 * Waits until the API server serves the object’s kind, where its definition is one of these.
 * @throws DeliverError E_NOT_READY, E_APPLY when the kind does not appear
 */
export async function awaitKind(
  api: ClusterApi,
  object: KubeObject,
  { definitions = [], served, signal }: AwaitKind,
): Promise<void> {
  const definition = definitionOf(object, definitions);
  const key = `${object.apiVersion} ${object.kind}`;
  if (definition === undefined || served.has(key)) return;
  await waitHealthy(api, [refOf(definition)], { timeout: MOST_TRIES * BETWEEN, ...(signal === undefined ? {} : { signal }) });
  for (let tries = 1; ; tries++) {
    try {
      await api.get(refOf(object), signal);
      break;
    } catch (error) {
      if (!isDeliverError(error, 'E_APPLY') || tries === MOST_TRIES) throw error;
      await pause(BETWEEN, signal);
    }
  }
  served.add(key);
}
