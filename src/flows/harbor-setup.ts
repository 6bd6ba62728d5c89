import type { Report } from '../core/report.ts';
import { secretNameOf } from '../manifest/secrets.ts';
import type { RegistryPreheat, RegistryReplication, SiteRegistry } from '../manifest/site-registry-schema.ts';
import type { PolicyRun, PreheatPolicy, RegistryAccount, ReplicationPolicy, WatchedPolicy } from '../registry/port.ts';
import { bytesOfQuantity } from '../site/quantity.ts';
import type { ReleaseSession } from './release-session.ts';
import type { SitePorts } from './site-ports.ts';

type HarborPorts = Pick<SitePorts, 'loaded' | 'secrets' | 'registry'>;

/**
 * Keeps in the site’s Harbor what the site file asks for: projects, quotas, immutable tags, replication, preheat. In this
 * order, for each needs those before it.
 * @returns what was changed, in words
 * @throws DeliverError E_HARBOR, E_REGISTRY*, E_SECRET_MISSING
 */
export async function setUpHarbor({ push }: Pick<ReleaseSession, 'push'>, ports: HarborPorts, report: Report): Promise<string[]> {
  const { registry } = ports.loaded.site;
  if (registry === undefined || !asksForAnything(registry)) return [];
  const { harbor } = await ports.registry();
  if (harbor === undefined) {
    report.note('! registry: projects, immutable tags, replication and preheat are for Harbor; this registry is none.');
    return [];
  }
  const { setup } = harbor;
  const changed: string[] = [];
  const did = async (what: string, work: Promise<boolean>): Promise<void> => {
    if (await work) changed.push(what);
  };
  for (const { name, quota, public: open } of registry.projects ?? []) {
    const wanted = {
      ...(quota === undefined ? {} : { quota: bytesOfQuantity(quota) }),
      ...(open === undefined ? {} : { public: open }),
    };
    await did(`project ${name}`, setup.project(name, wanted));
  }
  if (registry.immutableTags === true) {
    for (const project of push.projects) {
      await harbor.ensureProject(project);
      await did(`tags of ${project} immutable`, setup.immutableTags(project));
    }
  }
  for (const policy of registry.replication ?? [])
    await did(`replication ${policy.name}`, setup.replication(replicationOf(policy, ports)));
  for (const policy of registry.preheat ?? []) await did(`preheat ${policy.name}`, setup.preheat(preheatOf(policy, ports)));
  return changed;
}

/** The last runs of the policies that the site file names, for `status`. */
export async function harborRuns(ports: Pick<HarborPorts, 'loaded' | 'registry'>): Promise<readonly PolicyRun[]> {
  const { replication = [], preheat = [] } = ports.loaded.site.registry ?? {};
  const policies: WatchedPolicy[] = [
    ...replication.map(({ name }) => ({ kind: 'replication' as const, name })),
    ...preheat.map(({ name, project }) => ({ kind: 'preheat' as const, name, project })),
  ];
  if (policies.length === 0) return [];
  const { harbor } = await ports.registry();
  return (await harbor?.setup.lastRuns(policies)) ?? [];
}

/** True when the site file asks for anything that is set up through Harbor’s API. */
export function asksForAnything({ projects = [], immutableTags, replication = [], preheat = [] }: SiteRegistry): boolean {
  return projects.length + replication.length + preheat.length > 0 || immutableTags === true;
}

function replicationOf(
  { name, direction, registry, repositories, tags, trigger, override, speed }: RegistryReplication,
  ports: Pick<HarborPorts, 'secrets'>,
): ReplicationPolicy {
  return {
    name,
    direction: direction ?? 'push',
    remote: { url: registry.url, insecure: registry.insecure ?? false, ...accountOf(registry, ports) },
    trigger: trigger ?? 'manual',
    override: override ?? true,
    speed: speed ?? 0,
    ...(repositories === undefined ? {} : { repositories }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function preheatOf(
  { name, project, provider, repositories, tags, trigger }: RegistryPreheat,
  ports: Pick<HarborPorts, 'secrets'>,
): PreheatPolicy {
  const { vendor, endpoint, insecure } = provider;
  return {
    name,
    project,
    provider: { name: provider.name, vendor, endpoint, insecure: insecure ?? false, ...accountOf(provider, ports) },
    trigger: trigger ?? 'manual',
    ...(repositories === undefined ? {} : { repositories }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function accountOf(
  { username, password }: { readonly username?: string | undefined; readonly password?: string | undefined },
  { secrets }: Pick<HarborPorts, 'secrets'>,
): { readonly account?: RegistryAccount } {
  return username === undefined || password === undefined
    ? {}
    : { account: { username, password: secrets.get(secretNameOf(password)).reveal() } };
}
