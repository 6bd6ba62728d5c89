import { isIP } from 'node:net';
import type { Lock } from '../../lock/lock-schema.ts';
import type { Site, SiteHost } from '../../manifest/site-schema.ts';
import { componentOf, diskWishes, type ReleaseSizes } from './budget.ts';
import type { BuildNeeds, HostDuty, PortWish, Role } from './needs.ts';
import { buildsKubernetes } from '../kubeadm/settings.ts';
import { API_PORT, endpointOf, hasOwnProxy } from '../balancer/endpoint.ts';

const CERTIFICATE_DAYS = 30;
const ROLES: readonly Role[] = ['control-plane', 'worker', 'etcd', 'registry'];

const CONTROL_PLANE_PORTS: readonly PortWish[] = [
  { port: API_PORT, what: 'API server', by: ['kube-apiserver'] },
  { port: 10_257, what: 'controller manager', by: ['kube-controller'] },
  { port: 10_259, what: 'scheduler', by: ['kube-scheduler'] },
];
const ETCD_PORTS: readonly PortWish[] = [
  { port: 2379, what: 'etcd', by: ['etcd'] },
  { port: 2380, what: 'etcd', by: ['etcd'] },
];

/** True when this site file asks deliver to build something on its hosts (docs/decisions/0025). */
export function buildsSomething(site: Site, lock: Lock | undefined): boolean {
  const carries = lock === undefined || lock.release.kubernetes?.components !== undefined;
  return carries && (buildsKubernetes(site) || site.registry?.install !== undefined);
}

/**
 * What deliver is about to build on the hosts of a site.
 * @param members nodes that its cluster has already
 */
export function buildNeeds(
  site: Site,
  lock: Lock | undefined,
  sizes: ReleaseSizes | undefined,
  members: ReadonlySet<string>,
): BuildNeeds {
  const duties = new Map<string, HostDuty>();
  for (const host of site.hosts ?? []) {
    const roles = rolesOf(site, host.name);
    if (roles.length > 0) duties.set(host.name, dutyOf(site, host, roles, sizes));
  }
  const kubernetes = lock?.release.kubernetes?.version;
  const carried = lock?.files.flatMap(({ name }) => componentOf(name)?.platform ?? []) ?? [];
  const { proxyMode } = site.kubernetes ?? {};
  return {
    duties,
    ...(kubernetes === undefined ? {} : { kubernetes }),
    ...(carried.length === 0 ? {} : { platforms: [...new Set(carried)] }),
    pods: list(site.network?.pods ?? '10.244.0.0/16'),
    services: list(site.network?.services ?? '10.96.0.0/12'),
    modules: [
      ...['overlay', 'br_netfilter', 'nf_conntrack'],
      ...(site.network?.plugin === 'flannel' ? ['vxlan'] : []),
      ...(proxyMode === 'ipvs' ? ['ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_sh'] : []),
    ],
    names: namesOf(site),
    members,
    certificateDays: CERTIFICATE_DAYS,
  };
}

function rolesOf(site: Site, host: string): Role[] {
  return ROLES.filter((role) => {
    if (!(site.roles?.[role] ?? []).includes(host)) return false;
    // One that is to go needs nothing any more: what it lacks may be why it goes.
    if (role !== 'registry' && site.drain?.includes(host) === true) return false;
    return role === 'registry' ? site.registry?.install !== undefined : buildsKubernetes(site);
  });
}

function dutyOf(site: Site, host: SiteHost, roles: readonly Role[], sizes: ReleaseSizes | undefined): HostDuty {
  const address = host.internalAddress ?? host.address;
  const install = roles.includes('registry') ? site.registry?.install : undefined;
  return {
    roles,
    ...(host.arch === undefined ? {} : { arch: host.arch }),
    ...(isIP(address) === 0 ? {} : { address }),
    ports: portsOf(site, roles),
    disk: diskWishes(site, roles, sizes),
    ...(install === undefined ? {} : { registry: install.kind }),
  };
}

function portsOf(site: Site, roles: readonly Role[]): PortWish[] {
  const controlPlane = roles.includes('control-plane');
  const node = controlPlane || roles.includes('worker');
  const endpoint = endpointOf(site);
  const stacked = controlPlane && (site.roles?.etcd ?? []).length === 0;
  const install = roles.includes('registry') ? site.registry?.install : undefined;
  const registry = ['registry', 'docker-proxy', 'nginx', 'dockerd'];
  return [
    ...(controlPlane ? CONTROL_PLANE_PORTS : []),
    ...(stacked || roles.includes('etcd') ? ETCD_PORTS : []),
    ...(node ? [{ port: 10_250, what: 'kubelet', by: ['kubelet'] }] : []),
    ...(node && endpoint !== undefined && hasOwnProxy(endpoint, controlPlane)
      ? [{ port: endpoint.port, what: 'haproxy', by: ['haproxy'] }]
      : []),
    ...(install === undefined ? [] : [{ port: install.httpsPort ?? 443, what: 'registry', by: registry }]),
    // systemd-resolved has it on the loopback only.
    ...(roles.includes('registry') && site.ingress?.dns !== undefined
      ? [{ port: 53, what: 'name server', by: ['coredns', 'systemd-resolve'] }]
      : []),
    ...(install?.kind === 'harbor' ? [{ port: 80, what: 'Harbor', by: registry }] : []),
  ];
}

/** Where deliver knows the address it writes the name into /etc/hosts itself. */
function namesOf(site: Site): BuildNeeds['names'] {
  const { registry } = site;
  const endpoint = endpointOf(site);
  const byVip = endpoint?.by === 'kube-vip' && endpoint.address === undefined;
  const registryHost = registry?.host.replace(/:\d+$/, '');
  return [
    ...(registryHost === undefined || isIP(registryHost) !== 0
      ? []
      : [
          {
            name: registryHost,
            written: registry?.install !== undefined,
            ...(registry?.address === undefined ? {} : { address: registry.address }),
          },
        ]),
    ...(endpoint === undefined || isIP(endpoint.domain) !== 0 || !buildsKubernetes(site)
      ? []
      : [{ name: endpoint.domain, written: !byVip, ...(endpoint.address === undefined ? {} : { address: endpoint.address }) }]),
  ];
}

function list(cidrs: string): string[] {
  return cidrs.split(',').map((cidr) => cidr.trim());
}
