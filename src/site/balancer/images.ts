import { DeliverError } from '../../core/errors.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { endpointOf, hasOwnProxy } from './endpoint.ts';
import type { KubernetesImages } from '../kubeadm/world.ts';

/** The images of load balancers among those that a release carries. @param references of all its images */
export function balancerImages(references: readonly string[]): KubernetesImages {
  const image = (path: string): string | undefined => references.find((reference) => reference.includes(path));
  const [haproxy, kubeVip] = [image('/haproxy:'), image('/kube-vip:')];
  return { ...(haproxy === undefined ? {} : { haproxy }), ...(kubeVip === undefined ? {} : { kubeVip }) };
}

/**
 * Whether the load balancer that the site file names can be made: seen before anything is changed.
 * @throws DeliverError E_PREFLIGHT
 */
export function refuseMissingBalancer(site: Site, { haproxy, kubeVip }: KubernetesImages): void {
  const endpoint = endpointOf(site);
  const serving = site.roles?.['control-plane'] ?? [];
  const nodes = [...serving, ...(site.roles?.worker ?? [])];
  if (haproxy === undefined && nodes.some((name) => hasOwnProxy(endpoint, serving.includes(name)))) throw noImage('haproxy');
  if (endpoint?.by !== 'kube-vip') return;
  if (kubeVip === undefined) throw noImage('kube-vip');
  if (endpoint.address === undefined) throw noAddress();
}

/** @param component as in kubernetes.components */
export function noImage(component: string): DeliverError {
  return new DeliverError('E_PREFLIGHT', {
    what: `The site file names ${component} as load balancer, and the release carries no image of it.`,
    fix: `Add ${component}: <version> to kubernetes.components of the release, and make a new bundle.`,
    state: 'Nothing was changed.',
  });
}

export function noAddress(): DeliverError {
  return new DeliverError('E_PREFLIGHT', {
    what: 'The site file names kube-vip, and no address for it.',
    fix: 'Add controlPlaneEndpoint.address: a free IP address of the control planes’ network.',
    state: 'Nothing was changed.',
  });
}
