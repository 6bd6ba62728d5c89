import type { Step } from '../../core/report.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { balancerImages } from '../../site/balancer/images.ts';
import { buildsKubernetes } from '../../site/kubeadm/settings.ts';
import { carriedComponents } from '../../site/runtime/carried.ts';
import { kubernetesPrograms } from '../../site/runtime/programs.ts';
import { asksForAnything } from './harbor-setup.ts';
import { makesCluster } from './host-wishes.ts';
import { hostsStep } from './hosts-step.ts';
import { imagesStep } from './images-step.ts';
import { kubernetesStep, type KubernetesInput } from './kubernetes-step.ts';
import { mirrorsStep } from './mirrors-step.ts';
import { registryStep } from './registry-step.ts';
import type { ReleaseSession } from '../release-session.ts';
import { runtimeStep } from './runtime-step.ts';
import { hasNoRegistry } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

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
  const images = hasNoRegistry(site) ? [imagesStep(session, ports)] : [];
  if (!buildsKubernetes(site)) return { beforePush: [...registry, mirrorsStep(session, ports)], afterPush: images };
  const kubernetes = kubernetesStep(() => kubernetesInput(session(), ports));
  return {
    beforePush: [hostsStep(session, ports), ...registry],
    afterPush: [
      runtimeStep(session, ports),
      ...images,
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
