import { isIPv6 } from 'node:net';
import type { Site } from '../../manifest/site-schema.ts';

/** Port of every API server itself. */
export const API_PORT = 6443;

/** The one address that all nodes reach the API by. */
export interface Endpoint {
  readonly domain: string;
  readonly port: number;
  /** Address of a load balancer of the site’s own, or the virtual one of kube-vip. */
  readonly address?: string;
  /** Who spreads it over the control planes. */
  readonly by: 'haproxy' | 'kube-vip' | 'others';
}

/** The endpoint of the site file, undefined when it names none. */
export function endpointOf(site: Pick<Site, 'controlPlaneEndpoint'>): Endpoint | undefined {
  const given = site.controlPlaneEndpoint;
  if (given === undefined) return undefined;
  const { domain, port = API_PORT, address, loadBalancer } = given;
  const by = loadBalancer === 'haproxy' || loadBalancer === 'kube-vip' ? loadBalancer : 'others';
  return { domain, port, by, ...(address === undefined ? {} : { address }) };
}

/** `[fd00::1]:6443`, `10.0.0.1:6443` */
export function hostPort(address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${String(port)}`;
}

/**
 * True when this host runs a haproxy of its own. With the API servers’ own port a control plane calls itself, as KubeKey
 * has it; with another port every node has one.
 */
export function hasOwnProxy(endpoint: Endpoint | undefined, controlPlane: boolean): boolean {
  return endpoint?.by === 'haproxy' && endpoint.address === undefined && (!controlPlane || endpoint.port !== API_PORT);
}

/**
 * What the endpoint’s name means on one host, for its /etc/hosts; undefined: the site’s own DNS knows.
 * @param at.serves whether this host’s own API server answers
 * @param at.proxy whether this host’s haproxy answers
 * @param at.control address of a control plane whose API server answers
 */
export function endpointAddress(
  endpoint: Endpoint,
  at: { readonly own: string; readonly serves: boolean; readonly proxy: boolean; readonly control: string },
): string | undefined {
  if (endpoint.address !== undefined) return endpoint.address;
  if (endpoint.by === 'kube-vip') return undefined;
  if (endpoint.by === 'others') return at.control;
  if (at.proxy) return '127.0.0.1';
  return at.serves ? at.own : at.control;
}
