import { isIP } from 'node:net';
import type { Site } from '../../manifest/site-schema.ts';

/** Zone of names that carry their address, answered wherever nip.io itself is out of reach. */
const NIP = 'nip.io';

/** An address and the names that lead there. */
export interface NamedAddress {
  readonly address: string;
  readonly names: readonly string[];
}

/** What the name servers of a site answer. */
export interface SiteNames {
  /** Hosts, registry, API endpoint and those ingress names that carry no address. */
  readonly named: readonly NamedAddress[];
  /** Zones whose names carry their address: `nip.io`, and the site's own `ingress.domain`. */
  readonly zones: readonly string[];
  /** Name servers of the site that may be asked for everything else. */
  readonly resolvers: readonly string[];
}

/** @param urls where the apps of all releases answer */
export function siteNames(site: Site, urls: readonly string[]): SiteNames {
  const { hosts = [], roles, registry, controlPlaneEndpoint, ingress, network } = site;
  const zones = [...new Set([NIP, ...(ingress?.domain === undefined ? [] : [ingress.domain])])];
  const addressOf = (name: string | undefined): string | undefined => {
    const host = hosts.find((known) => known.name === name);
    return host?.internalAddress ?? host?.address;
  };
  const onHost = addressOf(roles?.registry?.[0]);
  const registryAddress = registry?.via === undefined ? (registry?.address ?? onHost) : onHost;
  const pairs: [string | undefined, string | undefined][] = [
    ...hosts.map(({ name }): [string, string | undefined] => [name, addressOf(name)]),
    [registry?.host.replace(/:\d+$/, ''), registryAddress],
    [controlPlaneEndpoint?.domain, controlPlaneEndpoint?.address],
    ...urls
      .map((url) => new URL(url).hostname)
      .filter((name) => !zones.some((zone) => name.endsWith(`.${zone}`)))
      .map((name): [string, string | undefined] => [name, ingress?.addresses[0]]),
  ];
  const byAddress = new Map<string, Set<string>>();
  for (const [name, address] of pairs) {
    if (name === undefined || address === undefined || isIP(name) !== 0 || isIP(address) === 0) continue;
    byAddress.set(address, (byAddress.get(address) ?? new Set()).add(name));
  }
  const named = [...byAddress].map(([address, names]) => ({ address, names: [...names] }));
  return { named, zones, resolvers: network?.resolvers ?? [] };
}
