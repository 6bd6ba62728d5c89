import type { Step, StepLanes } from '../../core/report.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { balancerImages } from '../../site/balancer/images.ts';
import { buildsKubernetes } from '../../site/kubeadm/settings.ts';
import { carriedComponents } from '../../site/runtime/carried.ts';
import { kubernetesPrograms } from '../../site/runtime/programs.ts';
import { asksForAnything } from './harbor-setup.ts';
import { isRegistryOnNode, makesCluster } from './host-wishes.ts';
import { hostsStep } from './hosts-step.ts';
import { imagesStep } from './images-step.ts';
import { kubernetesStep, type KubernetesInput } from './kubernetes-step.ts';
import { mirrorsStep } from './mirrors-step.ts';
import { registryStep } from './registry-step.ts';
import type { ReleaseSession } from '../release-session.ts';
import { runtimeStep } from './runtime-step.ts';
import { hasNoRegistry } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/**
 * What stands below the cluster’s API, in the order of docs/decisions/0025. Hosts with their runtime and the registry with
 * what is pushed need nothing of each other (docs/decisions/0031). Of a site that has its cluster only registry and mirrors are left.
 * @param push left out where there is no registry
 */
export function foundationSteps(session: () => ReleaseSession, ports: SitePorts, push: Step): (Step | StepLanes)[] {
  const { site } = ports.loaded;
  const made = asksOfRegistry(site) ? [registryStep(session, ports)] : [];
  const pushed = hasNoRegistry(site) ? [] : [push];
  const images = hasNoRegistry(site) ? [imagesStep(session, ports)] : [];
  const mirrors = mirrorsStep(session, ports);
  if (!buildsKubernetes(site)) return [...made, mirrors, ...pushed, ...images];
  const hosts = hostsStep(session, ports);
  const runtime = runtimeStep(session, ports);
  const kubernetes = kubernetesStep(() => kubernetesInput(session(), ports));
  return [
    ...besides(site, [hosts, runtime], [...made, ...pushed]),
    mirrors,
    ...images,
    {
      ...kubernetes,
      run: async (report, signal) => {
        // A release without Kubernetes in it uses the cluster that is there.
        if (!makesCluster(site, session().bundle.lock)) return { summary: 'used as it is', changed: 0 };
        return kubernetes.run(report, signal);
      },
    },
  ];
}

function besides(site: Site, nodes: readonly [Step, Step], registry: readonly Step[]): (Step | StepLanes)[] {
  const [hosts, runtime] = nodes;
  if (registry.length === 0) return [hosts, runtime];
  return isRegistryOnNode(site) ? [hosts, ...registry, runtime] : [{ lanes: [nodes, registry] }];
}

/** What the Kubernetes step works with, of release and site. */
export function kubernetesInput(session: ReleaseSession, ports: SitePorts): KubernetesInput {
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
