import pLimit from 'p-limit';
import { hostsFileLines } from '../apps/hosts-file.ts';
import { listRecords, type ReleaseRecord } from '../cluster/record.ts';
import { isWaited } from '../cluster/health.ts';
import type { ClusterApi } from '../cluster/port.ts';
import { statusOf } from '../cluster/status.ts';
import { countText } from '../core/amounts.ts';
import { isDeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { checkThat, type Check } from '../site/check.ts';
import type { AppStatus, StatusResult } from './plan-types.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep } from './site-step.ts';

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
      return { summary: registry.healthy ? registry.host : registry.message };
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
        result = {
          site: ports.loaded.site.metadata.name,
          hosts,
          registry: needed(registry),
          ...seen,
          ...(look.outcome === 'pass' ? {} : { clusterProblem: look.found ?? 'does not answer' }),
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

type ClusterState = Pick<StatusResult, 'kubernetes' | 'releases' | 'apps' | 'urls'>;

const NOTHING_SEEN: ClusterState = { kubernetes: '', releases: [], apps: [], urls: [] };

async function clusterState(ports: SitePorts, signal: AbortSignal): Promise<ClusterState> {
  const api = await ports.cluster();
  const kubernetes = await api.version(signal);
  const records = await listRecords(api, signal);
  return {
    kubernetes,
    releases: records.map(({ name, version, installedAt, status }) => ({ name, version, installedAt, state: status })),
    apps: (await Promise.all(records.map((record) => appStates(record, api, signal)))).flat(),
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

async function registryState(ports: SitePorts): Promise<StatusResult['registry']> {
  const host = ports.loaded.site.registry?.host ?? '';
  let version: string | undefined;
  const health: Check = await checkThat('registry', 'registry', async () => {
    const access = await ports.registry();
    version = access.version;
    const down = (await access.harbor?.unhealthy()) ?? [];
    return { found: down.join(', ') };
  });
  const healthy = health.outcome === 'pass' && health.found === '';
  const message = healthy ? '' : (health.found ?? 'not healthy');
  return { host, healthy, message, ...(version === undefined ? {} : { version }) };
}

async function appStates(record: ReleaseRecord, api: ClusterApi, signal: AbortSignal): Promise<AppStatus[]> {
  return Promise.all(
    record.inventory.filter(isWaited).map(async (ref): Promise<AppStatus> => {
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
