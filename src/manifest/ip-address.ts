import ipaddr from 'ipaddr.js';

/** Ranges that an EndpointSlice refuses (Kubernetes, Service without selector). */
const REFUSED = new Set(['unspecified', 'loopback', 'linkLocal', 'multicast', 'broadcast']);

/** Why an address can't be an endpoint outside the cluster; undefined when it can. */
export function endpointProblem(text: string): string | undefined {
  if (!ipaddr.isValid(text) || (ipaddr.IPv4.isValid(text) && !ipaddr.IPv4.isValidFourPartDecimal(text)))
    return 'must be an IP address';
  const range = ipaddr.parse(text).range();
  return REFUSED.has(range) ? `Kubernetes refuses a ${range} address here` : undefined;
}
