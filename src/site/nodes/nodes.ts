import type { Site, SiteHost } from '../../manifest/site-schema.ts';

/**
 * The hosts that run (or will run) pods: those in the roles control-plane and worker. A site that names neither role
 * has all its hosts as nodes, except those that others are reached through and those with another role. One
 * that is to go (`drain:`) is none any more.
 */
export function nodesOf(site: Site): SiteHost[] {
  const all = site.hosts ?? [];
  const leaving = new Set(site.drain ?? []);
  const hosts = all.filter(({ name }) => !leaving.has(name));
  const named = new Set([...(site.roles?.['control-plane'] ?? []), ...(site.roles?.worker ?? [])]);
  if (named.size > 0) return hosts.filter((host) => named.has(host.name));
  const elsewhere = new Set([
    ...all.flatMap((host) => host.via ?? []),
    ...(site.roles?.registry ?? []),
    ...(site.roles?.etcd ?? []),
  ]);
  return hosts.filter((host) => !elsewhere.has(host.name));
}
