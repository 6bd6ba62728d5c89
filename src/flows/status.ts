import pLimit from 'p-limit';
import { hostsFileLines } from '../apps/hosts-file.ts';
import { listRecords, type ReleaseRecord } from '../cluster/record.ts';
import { isWaited } from '../cluster/health.ts';
import type { ClusterApi } from '../cluster/port.ts';
import { nodeStates } from '../cluster/nodes-ready.ts';
import { siteLockHolder } from '../cluster/site-lock.ts';
import { statusOf } from '../cluster/status.ts';
import { countText } from '../core/amounts.ts';
import { isDeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { checkThat, type Check } from '../site/check/check.ts';
import type { PolicyRun } from '../registry/port.ts';
import { harborRuns } from './install/harbor-setup.ts';
import { kubernetesStatus } from './kubernetes-status.ts';
import type { AppStatus, NodeStatus, StatusResult } from './plan/types.ts';
import { certificateDays } from './registry-certificate-days.ts';
import { hasNoRegistry } from './site-images.ts';
import type { SiteRegistryAccess, SitePorts } from './site-ports.ts';
import { needed, siteStep } from './install/site-step.ts';

const HOSTS_AT_ONCE = 8;

type Hosts = StatusResult['hosts'];

/** `deliver status`: what is there now; read-only, and what can't be reached is part of the answer. */
export function statusFlow(ports: SitePorts): Flow<StatusResult> {
  let hosts: Hosts = [];
  let registry: StatusResult['registry'] | undefined;
  let result: StatusResult | undefined;
  const steps = [
    siteStep(ports, 'hosts', 'Hosts', async (_report, signal) => {
      hosts = await hostStates(ports, signal);
      const down = hosts.filter(({ reachable }) => !reachable).length;
      return {
        summary:
          down === 0
            ? `${String(hosts.length)} reachable`
            : `${String(down)} of ${countText(hosts.length, 'host')} not reachable`,
      };
    }),
    siteStep(ports, 'registry', 'Registry', async () => {
      registry = await registryState(ports);
      return { summary: registry.healthy && registry.host !== '' ? registry.host : registry.message };
    }),
    siteStep(
      ports,
      'cluster',
      'Cluster',
      async (_report, signal) => {
        let seen = NOTHING_SEEN;
        const look = await checkThat('cluster', 'cluster', async () => {
          seen = await clusterState(ports, signal);
          return {};
        });
        const known = {
          site: ports.loaded.site.metadata.name,
          hosts,
          registry: needed(registry),
          ...seen,
          ...(look.outcome === 'pass' ? {} : { clusterProblem: look.found ?? 'does not answer' }),
        };
        result = {
          ...known,
          down: downLines(known),
          hostsFile: hostsFileLines(seen.urls, ports.loaded.site.ingress?.addresses ?? []),
        };
        if (look.outcome !== 'pass') return { summary: result.clusterProblem ?? '' };
        return { summary: `Kubernetes ${seen.kubernetes} · ${countText(seen.releases.length, 'release')}` };
      },
      { last: () => undefined },
    ),
  ];
  return { steps, result: () => needed(result) };
}

type ClusterState = Pick<StatusResult, 'kubernetes' | 'nodes' | 'releases' | 'addons' | 'apps' | 'urls' | 'lockedBy'>;

const NOTHING_SEEN: ClusterState = { kubernetes: '', nodes: [], releases: [], addons: [], apps: [], urls: [] };

async function clusterState(ports: SitePorts, signal: AbortSignal): Promise<ClusterState> {
  const api = await ports.cluster();
  const kubernetes = await api.version(signal);
  const records = await listRecords(api, signal);
  const lockedBy = await allowed(undefined, () => siteLockHolder(api, signal));
  const states = (part: boolean): Promise<AppStatus[]> =>
    Promise.all(records.map((record) => appStates(record, part, api, signal))).then((lists) => lists.flat());
  return {
    kubernetes,
    nodes: await nodesOf(ports, api, signal),
    addons: await states(true),
    ...(lockedBy === undefined ? {} : { lockedBy }),
    releases: records.map(({ name, version, installedAt, status }) => ({ name, version, installedAt, state: status })),
    apps: await states(false),
    urls: records.flatMap((record) => record.urls),
  };
}

async function hostStates(ports: SitePorts, signal: AbortSignal): Promise<Hosts> {
  const all = ports.loaded.site.hosts ?? [];
  const limit = pLimit(HOSTS_AT_ONCE);
  return limit.map(all, async ({ name, address }) => {
    const login = await checkThat('ssh', 'SSH', async () => {
      await ports.hosts.connect(name, signal);
      return {};
    });
    return { name, address, reachable: login.outcome === 'pass', message: login.found ?? '' };
  });
}

/** A plain registry has no report of its health: it is asked for something that it does not have. @throws DeliverError E_REGISTRY* */
async function answersAtAll({ writer }: SiteRegistryAccess, ports: SitePorts): Promise<[]> {
  try {
    await writer.headManifest('deliver-login-check', 'latest');
  } catch (error) {
    // Whom it does not know it tells so: it is there.
    if (!isDeliverError(error, 'E_REGISTRY_AUTH') || ports.loaded.site.registry?.username !== undefined) throw error;
  }
  return [];
}

async function registryState(ports: SitePorts): Promise<StatusResult['registry']> {
  if (hasNoRegistry(ports.loaded.site)) return { host: '', healthy: true, message: 'none: the nodes keep the images' };
  const host = ports.loaded.site.registry?.host ?? '';
  let version: string | undefined;
  let runs: readonly PolicyRun[] = [];
  const health: Check = await checkThat('registry', 'registry', async () => {
    const access = await ports.registry();
    version = access.version;
    const down = access.harbor === undefined ? await answersAtAll(access, ports) : await access.harbor.unhealthy();
    runs = await harborRuns(ports);
    return { found: down.join(', ') };
  });
  const healthy = health.outcome === 'pass' && health.found === '';
  const message = healthy ? '' : (health.found ?? 'not healthy');
  const days = await certificateDays(ports);
  return {
    host,
    healthy,
    message,
    ...(version === undefined ? {} : { version }),
    ...(runs.length === 0 ? {} : { runs }),
    ...(days === undefined ? {} : { certificateDays: days }),
  };
}

/** The nodes, and for how long the certificates of control planes are good where deliver keeps the cluster. */
async function nodesOf(ports: SitePorts, api: ClusterApi, signal: AbortSignal): Promise<NodeStatus[]> {
  const nodes = await allowed([], () => nodeStates(api, signal));
  const days = new Map<string, number>();
  await checkThat('certificates', 'certificates', async () => {
    const kept = await kubernetesStatus(ports.loaded.site, ports.hosts, signal);
    for (const { host, daysLeft } of kept?.certificates ?? []) days.set(host, daysLeft);
    return {};
  });
  return nodes.map((node) => {
    const certificateDays = days.get(node.name);
    return { ...node, ...(certificateDays === undefined ? {} : { certificateDays }) };
  });
}

/** An account for apps may not look at everything; what it may not see is left out. */
async function allowed<Value>(otherwise: Value, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (isDeliverError(error, 'E_CLUSTER_AUTH')) return otherwise;
    throw error;
  }
}

/** What should be well and is not. */
export function downLines(result: Omit<StatusResult, 'down' | 'hostsFile'>): string[] {
  const { hosts, registry, clusterProblem, nodes, addons, apps } = result;
  return [
    ...hosts.filter(({ reachable }) => !reachable).map(({ name }) => `host ${name}`),
    ...(registry.healthy ? [] : [`registry ${registry.host}`]),
    ...(clusterProblem === undefined ? [] : ['cluster']),
    ...nodes.filter(({ ready }) => !ready).map(({ name }) => `node ${name}`),
    ...[...addons, ...apps]
      .filter(({ state }) => state !== 'current')
      .map(({ kind, namespace, name }) => `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`),
  ];
}

async function appStates(record: ReleaseRecord, part: boolean, api: ClusterApi, signal: AbortSignal): Promise<AppStatus[]> {
  return Promise.all(
    record.inventory
      .filter((ref) => isWaited(ref) && (ref.part !== undefined) === part)
      .map(async (ref): Promise<AppStatus> => {
        const { kind, name, namespace = '' } = ref;
        try {
          const object = await api.get(ref, signal);
          return {
            kind,
            namespace,
            name,
            ...(object === undefined ? { state: 'missing', message: 'not in the cluster' } : statusOf(object)),
          };
        } catch (error) {
          if (!isDeliverError(error, 'E_CLUSTER_AUTH')) throw error;
          return { kind, namespace, name, state: 'missing', message: 'this account may not look at it' };
        }
      }),
  );
}
