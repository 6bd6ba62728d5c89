import type { Report } from '../../core/report.ts';
import { secretNameOf } from '../../manifest/secrets.ts';
import type { RegistryPreheat, RegistryReplication, SiteRegistry } from '../../manifest/site-registry-schema.ts';
import type {
  HarborSetup,
  PolicyRun,
  PreheatPolicy,
  RegistryAccount,
  ReplicationPolicy,
  WatchedPolicy,
} from '../../registry/port.ts';
import { bytesOfQuantity } from '../../site/registry/quantity.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

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
  // Rules and policies are about projects that are there.
  for (const project of push.projects) await harbor.ensureProject(project);
  const changed: string[] = [];
  for (const { what, change } of wishes(registry, push.projects, ports)) if (await change(harbor.setup)) changed.push(what);
  return changed;
}

/**
 * What `setUpHarbor` would change, in the same words; nothing is changed.
 * @param isThere false for a registry that the same install makes
 * @throws DeliverError E_HARBOR, E_REGISTRY*, E_SECRET_MISSING
 */
export async function planHarborSetup(
  { push }: Pick<ReleaseSession, 'push'>,
  ports: HarborPorts,
  isThere: boolean,
): Promise<string[]> {
  const { registry } = ports.loaded.site;
  if (registry === undefined || !asksForAnything(registry)) return [];
  const all = wishes(registry, push.projects, ports);
  if (!isThere) return registry.install?.kind === 'harbor' ? all.map(({ what }) => what) : [];
  const { harbor } = await ports.registry();
  if (harbor === undefined) return [];
  const made = new Set([...push.projects, ...(registry.projects ?? []).map(({ name }) => name)]);
  const changed: string[] = [];
  for (const { what, project, isRemoval, change } of all) {
    const isToCome = project !== undefined && made.has(project) && !(await harbor.hasProject(project));
    if (isToCome ? isRemoval !== true : await change(harbor.look)) changed.push(what);
  }
  return changed;
}

interface Wish {
  /** `project media`, `replication to-plant-8`. */
  readonly what: string;
  /** The project that it is in. */
  readonly project?: string;
  /** What is not there needs no removal. */
  readonly isRemoval?: boolean;
  /** True when it changed something. */
  readonly change: (setup: HarborSetup) => Promise<boolean>;
}

function wishes(registry: SiteRegistry, released: readonly string[], ports: HarborPorts): Wish[] {
  const isImmutable = immutableWanted(registry);
  return [
    ...(registry.projects ?? []).map(({ name, quota, public: open }): Wish => {
      const wanted = {
        ...(quota === undefined ? {} : { quota: bytesOfQuantity(quota) }),
        ...(open === undefined ? {} : { public: open }),
      };
      return { what: `project ${name}`, project: name, change: (setup) => setup.project(name, wanted) };
    }),
    ...(isImmutable === undefined ? [] : released).map((project): Wish => ({
      what: `tags of ${project} ${isImmutable === true ? 'immutable' : 'movable'}`,
      project,
      isRemoval: isImmutable !== true,
      change: (setup) => setup.immutableTags(project, isImmutable === true),
    })),
    ...(registry.replication ?? []).map((policy): Wish => ({
      what: `replication ${policy.name}`,
      change: (setup) => setup.replication(replicationOf(policy, ports)),
    })),
    ...(registry.preheat ?? []).map((policy): Wish => ({
      what: `preheat ${policy.name}`,
      project: policy.project,
      change: (setup) => setup.preheat(preheatOf(policy, ports)),
    })),
  ];
}

/** Whether released tags may not move: as the site file says, else so in a Harbor that deliver installs; another one’s rules are left alone. */
export function immutableWanted({ immutableTags, install }: SiteRegistry): boolean | undefined {
  return immutableTags ?? (install?.kind === 'harbor' ? true : undefined);
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
export function asksForAnything(registry: SiteRegistry): boolean {
  const { projects = [], replication = [], preheat = [] } = registry;
  return projects.length + replication.length + preheat.length > 0 || immutableWanted(registry) !== undefined;
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
