/** What a node's containerd needs to find everything here. */
export interface HostsToml {
  /** On the node. */
  readonly path: string;
  readonly lines: readonly string[];
}

/**
 * One file for every source host: containerd looks into `_default` for hosts that have no folder of their own, and names the host
 * it means in `?ns=` (containerd docs/hosts.md). Without a server, or with one that may pull, upstream would be asked last.
 * @param url as nodes reach this endpoint
 */
export function hostsToml(url: string): HostsToml {
  const ca = url.startsWith('https:') ? ['  ca = "/etc/containerd/certs.d/deliver-ca.crt"'] : [];
  return {
    path: '/etc/containerd/certs.d/_default/hosts.toml',
    lines: [`server = "${url}"`, 'capabilities = ["push"]', '', `[host."${url}"]`, '  capabilities = ["pull", "resolve"]', ...ca],
  };
}
