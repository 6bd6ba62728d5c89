import type { Report, Step } from '../core/report.ts';
import type { Site } from '../manifest/site-schema.ts';
import { balancerImages } from '../site/balancer.ts';
import { planHosts } from '../site/host-apply.ts';
import { emptyWish, joinWishes } from '../site/host-wish.ts';
import { buildsKubernetes } from '../site/kubeadm-settings.ts';
import { carriedComponents } from '../site/runtime-carried.ts';
import { kubernetesPrograms } from '../site/runtime-programs.ts';
import { asksForAnything } from './harbor-setup.ts';
import { makesCluster, preparationWishes, runtimeWishes } from './host-wishes.ts';
import { hostPlanLines, hostsStep } from './hosts-step.ts';
import { kubernetesStep, planKubernetes, type KubernetesInput } from './kubernetes-step.ts';
import { mirrorsStep } from './mirrors-step.ts';
import { planRegistry } from './registry-plan.ts';
import { registryPlanLines, registryStep } from './registry-step.ts';
import type { ReleaseSession } from './release-session.ts';
import { runtimeStep } from './runtime-step.ts';
import type { SitePorts } from './site-ports.ts';

/** The steps of install below the API of the cluster. */
export interface Foundation {
  readonly beforePush: readonly Step[];
  readonly afterPush: readonly Step[];
}

/**
 * What stands below the cluster’s API, in the order of docs/decisions/0025: hosts, registry, and after the push runtime and
 * Kubernetes. Of a site that has these only the mirrors are left.
 */
export function foundationSteps(session: () => ReleaseSession, ports: SitePorts): Foundation {
  const { site } = ports.loaded;
  const registry = asksOfRegistry(site) ? [registryStep(session, ports)] : [];
  if (!buildsKubernetes(site)) return { beforePush: [...registry, mirrorsStep(session, ports)], afterPush: [] };
  const kubernetes = kubernetesStep(() => kubernetesInput(session(), ports));
  return {
    beforePush: [hostsStep(session, ports), ...registry],
    afterPush: [
      runtimeStep(session, ports),
      {
        ...kubernetes,
        run: async (report, signal) => {
          // A release without Kubernetes in it uses the cluster that is there.
          if (!makesCluster(site, session().bundle.lock)) return { summary: 'used as it is', changed: 0 };
          return kubernetes.run(report, signal);
        },
      },
    ],
  };
}

/** What an install would do there. */
export interface FoundationPlan {
  /** A line per host and part: `w1: containerd v1.7.28, swap off`. */
  readonly lines: readonly string[];
  readonly changes: number;
}

/** Compares hosts, registry and cluster with what release and site ask for. Changes nothing. @throws DeliverError E_PREFLIGHT, E_SSH*, E_HOST */
export async function planFoundation(
  session: ReleaseSession,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<FoundationPlan> {
  const { site } = ports.loaded;
  const { lock } = session.bundle;
  const registry = await planRegistry(session.bundle, ports, signal);
  const lines = registry === undefined ? [] : registryPlanLines(registry);
  if (makesCluster(site, lock)) {
    const runtime = new Map(runtimeWishes(site, lock).map((wish) => [wish.host, wish]));
    const wishes = preparationWishes(site, lock).map((wish) => joinWishes(wish, runtime.get(wish.host) ?? emptyWish(wish.host)));
    lines.push(...hostPlanLines(await planHosts(ports.hosts, wishes, signal)));
    const items = await planKubernetes(kubernetesInput(session, ports), report, signal);
    lines.push(...items.filter(({ done }) => !done).map(({ host, what }) => `${host}: ${what}`));
  }
  return { lines, changes: lines.filter((line) => !line.includes(': no change')).length };
}

function kubernetesInput(session: ReleaseSession, ports: SitePorts): KubernetesInput {
  const { lock } = session.bundle;
  const carried = carriedComponents(lock);
  return {
    site: ports.loaded.site,
    version: session.release.kubernetes?.version ?? '',
    hosts: ports.hosts,
    programs: kubernetesPrograms(ports.hosts, carried, session.bundle),
    images: balancerImages(lock.images.map(({ reference }) => reference)),
  };
}

/** True when something is to be installed or kept on the registry’s side. */
function asksOfRegistry({ registry }: Site): boolean {
  return registry !== undefined && (registry.install !== undefined || asksForAnything(registry));
}
