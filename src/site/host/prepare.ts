import type { HostWish, WishedSysctl } from './wish.ts';

const MODULES = ['overlay', 'br_netfilter'];

/** What pods and their networks need (Kubernetes' container runtime page); the limits are what many pods on one node use up. */
const SYSCTLS: readonly WishedSysctl[] = [
  { key: 'net.ipv4.ip_forward', value: 1 },
  { key: 'net.bridge.bridge-nf-call-iptables', value: 1 },
  { key: 'net.bridge.bridge-nf-call-ip6tables', value: 1 },
  { key: 'fs.inotify.max_user_instances', value: 8192, atLeast: true, optional: true },
  { key: 'fs.inotify.max_user_watches', value: 524_288, atLeast: true, optional: true },
];

const MARK = '# written by deliver; changes are overwritten';

/** A host that is to become a node of Kubernetes: swap off, modules, kernel settings, each also after the next boot. */
export function nodeWish(): Partial<HostWish> {
  return {
    swapOff: true,
    modules: MODULES,
    sysctls: SYSCTLS,
    files: [
      { path: '/etc/modules-load.d/deliver.conf', content: `${[MARK, ...MODULES].join('\n')}\n` },
      {
        path: '/etc/sysctl.d/90-deliver.conf',
        content: `${[MARK, ...SYSCTLS.map(({ key, value }) => `${key} = ${String(value)}`)].join('\n')}\n`,
      },
    ],
  };
}

/** Names that a host must know without a name server: `10.0.0.1 cp1`, sorted as given. */
export function namesWish(
  entries: readonly { readonly address: string; readonly names: readonly string[] }[],
): Partial<HostWish> {
  return { hostsLines: entries.map(({ address, names }) => [address, ...names].join(' ')) };
}
