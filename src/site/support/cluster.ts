import { textAt } from '../../cluster/fields.ts';
import type { ClusterApi, KubeObject } from '../../cluster/port.ts';
import type { SupportArchive } from './archive.ts';

/** Objects of one kind; the newest events only. */
const BYTES_PER_KIND = 8 * 1024 ** 2;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Only of these namespaces: an app's own ConfigMaps may hold anything. */
  readonly namespaces?: readonly string[];
}

/** No Secrets: these are never read. */
const KINDS: readonly Kind[] = [
  ...['Node', 'Namespace', 'Pod', 'Service', 'PersistentVolume', 'PersistentVolumeClaim'].map((kind) => ({
    apiVersion: 'v1',
    kind,
  })),
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map((kind) => ({ apiVersion: 'apps/v1', kind })),
  ...['Job', 'CronJob'].map((kind) => ({ apiVersion: 'batch/v1', kind })),
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' },
  { apiVersion: 'v1', kind: 'ConfigMap', namespaces: ['kube-system', 'kube-public', 'deliver-system'] },
];

/** Adds the objects of the cluster, one line each, and its events. Kinds that can't be read are said so. */
export async function collectCluster(
  api: ClusterApi,
  archive: SupportArchive,
  signal: AbortSignal,
): Promise<{ readonly objects: number }> {
  let objects = 0;
  await archive.add('cluster/version.txt', `${await api.version(signal)}\n`);
  for (const { apiVersion, kind, namespaces } of KINDS) {
    const found = await listed(api, { apiVersion, kind }, namespaces, signal);
    if (typeof found === 'string') await archive.add(`cluster/${kind}.error.txt`, `${found}\n`);
    else if (found.length > 0) await archive.add(`cluster/${kind}.jsonl`, jsonLines(found));
    objects += typeof found === 'string' ? 0 : found.length;
  }
  const events = await listed(api, { apiVersion: 'v1', kind: 'Event' }, undefined, signal);
  await archive.add('cluster/events.txt', typeof events === 'string' ? events : eventLines(events));
  return { objects };
}

async function listed(
  api: ClusterApi,
  type: { readonly apiVersion: string; readonly kind: string },
  namespaces: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[] | string> {
  try {
    if (namespaces === undefined) return await api.list(type, {}, signal);
    return (await Promise.all(namespaces.map((namespace) => api.list(type, { namespace }, signal)))).flat();
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

function jsonLines(objects: readonly KubeObject[]): string {
  return bounded(objects.map((object) => JSON.stringify(slim(object))));
}

/** Without what only makes it long, or repeats everything in another form. */
function slim(object: KubeObject): KubeObject {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  const kept = Object.entries(annotations ?? {}).filter(([name]) => name !== LAST_APPLIED);
  return { ...object, metadata: { ...metadata, annotations: Object.fromEntries(kept) } };
}

function eventLines(events: readonly KubeObject[]): string {
  const timeOf = (event: KubeObject): string => textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? '';
  const lines = events
    .toSorted((a, b) => timeOf(b).localeCompare(timeOf(a)))
    .map((event) => {
      const about = `${textAt(event, 'involvedObject', 'kind') ?? ''} ${event.metadata.namespace ?? ''}/${textAt(event, 'involvedObject', 'name') ?? ''}`;
      return [timeOf(event), textAt(event, 'type'), textAt(event, 'reason'), about, textAt(event, 'message')].join('  ');
    });
  return bounded(lines);
}

function bounded(lines: readonly string[]): string {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > BYTES_PER_KIND)
      return [...kept, `[cut: ${String(kept.length)} of ${String(lines.length)} are kept]`, ''].join('\n');
    kept.push(line);
  }
  return [...kept, ''].join('\n');
}
