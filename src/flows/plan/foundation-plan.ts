import type { Report } from '../../core/report.ts';
import { planHosts } from '../../site/host/apply.ts';
import type { HostWish } from '../../site/host/wish.ts';
import { kubernetesInput } from '../install/foundation.ts';
import { hostTodo, isOpen, type HostTodo } from '../host-todo.ts';
import { withDueUnits } from './due-units.ts';
import { makesCluster, preparationWishes, runtimeWishes } from '../install/host-wishes.ts';
import { planKubernetes, type KubernetesPlan } from './kubernetes-plan.ts';
import { planRegistry } from './registry-plan.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** What an install would do below the cluster’s API, by its steps; empty where nothing there is deliver’s to make. */
export interface FoundationPlan {
  /** Kernel settings, names, the programs of Kubernetes. */
  readonly hosts: readonly HostTodo[];
  /** The host of the registry that deliver installs. */
  readonly registry?: HostTodo;
  /** containerd and what belongs to it. */
  readonly runtime: readonly HostTodo[];
  readonly kubernetes?: KubernetesPlan;
  /** How many hosts would be changed. */
  readonly changes: number;
}

export const NO_FOUNDATION: FoundationPlan = { hosts: [], runtime: [], changes: 0 };

export interface PlannedFoundation {
  readonly build: FoundationPlan;
  /** PEM of the private CA that the registry has, or will have. */
  readonly ca?: string;
}

/** Compares hosts, registry and cluster with what release and site ask for. Changes nothing. @throws DeliverError E_PREFLIGHT, E_SSH*, E_HOST */
export async function planFoundation(
  session: ReleaseSession,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<PlannedFoundation> {
  const { site } = ports.loaded;
  const { lock } = session.bundle;
  const found = await planRegistry(session.bundle, ports, signal);
  const registry = found === undefined ? undefined : withDueUnits(hostTodo(found.look, found.items), found.look);
  const look = async (wishes: readonly HostWish[]): Promise<HostTodo[]> =>
    (await planHosts(ports.hosts, wishes, signal)).map((each) => withDueUnits(hostTodo(each), each));
  const hosts = await look(preparationWishes(site, lock));
  const runtime = await look(runtimeWishes(site, lock));
  const kubernetes = makesCluster(site, lock) ? await planKubernetes(kubernetesInput(session, ports), report, signal) : undefined;
  const ca = found?.certificates.ca;
  const build = {
    hosts,
    runtime,
    ...(registry === undefined ? {} : { registry }),
    ...(kubernetes === undefined ? {} : { kubernetes }),
  };
  return { build: { ...build, changes: openHosts(build).size }, ...(ca === undefined ? {} : { ca }) };
}

/** Names of the hosts that deliver keeps and that an install leaves as they are. @param mirrors hosts that get other mirror files */
export function settledHosts(build: Omit<FoundationPlan, 'changes'>, mirrors: ReadonlySet<string>): string[] {
  const open = openHosts(build);
  const all = new Set([...todosOf(build), ...(build.kubernetes?.nodes ?? [])].map(({ host }) => host));
  return [...all].filter((host) => !open.has(host) && !mirrors.has(host));
}

function openHosts(build: Omit<FoundationPlan, 'changes'>): Set<string> {
  const nodes = build.kubernetes?.nodes ?? [];
  return new Set([...todosOf(build).filter(isOpen), ...nodes.filter(({ done }) => !done)].map(({ host }) => host));
}

function todosOf({ hosts, registry, runtime }: Omit<FoundationPlan, 'changes'>): HostTodo[] {
  return [...hosts, ...(registry === undefined ? [] : [registry]), ...runtime];
}
