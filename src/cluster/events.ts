import { textAt } from './fields.ts';
import type { ClusterApi, KubeObject } from './port.ts';

interface Warning {
  readonly reason: string;
  readonly message: string;
}

/** Warnings about one object, the newest first. Only an aid for messages: none when they can't be read. */
export async function warningsOf(api: ClusterApi, object: KubeObject, signal?: AbortSignal): Promise<Warning[]> {
  const { uid, namespace } = object.metadata;
  if (uid === undefined || namespace === undefined) return [];
  const events = await api
    .list({ apiVersion: 'v1', kind: 'Event' }, { namespace, fieldSelector: `involvedObject.uid=${uid}` }, signal)
    .catch((error: unknown) => {
      if (signal?.aborted === true) throw error;
      return [];
    });
  const time = (event: KubeObject): string => textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? '';
  return events
    .filter((event) => event.type === 'Warning')
    .sort((a, b) => (time(a) < time(b) ? 1 : -1))
    .map((event) => ({ reason: textAt(event, 'reason') ?? '', message: textAt(event, 'message') ?? '' }));
}
