import type { Lock } from '../../lock/lock-schema.ts';
import type { Site, SiteHost } from '../../manifest/site-schema.ts';
import { namesWish, nodeWish } from '../../site/host/prepare.ts';
import { emptyWish, joinWishes, type HostWish, type WishedComponent } from '../../site/host/wish.ts';
import { buildsKubernetes } from '../../site/kubeadm/settings.ts';
import { nodesOf } from '../../site/nodes/nodes.ts';
import { carriedComponents, sandboxImageOf } from '../../site/runtime/carried.ts';
import { componentWish, kubernetesWish, runtimeWish } from '../../site/runtime/wish.ts';

/** True when deliver makes (or keeps) the cluster of this site: decision 25. */
export function makesCluster(site: Site, { release }: Pick<Lock, 'release'>): boolean {
  return buildsKubernetes(site) && release.kubernetes?.components !== undefined;
}

/** Names of the nodes that deliver makes and keeps; none where the cluster is used as it is. */
export function keptNodes(site: Site, lock: Pick<Lock, 'release'>): string[] {
  return makesCluster(site, lock) ? nodesOf(site).map(({ name }) => name) : [];
}

/** What the hosts of a cluster need before anything runs there: settings, names, the programs of Kubernetes and etcd. */
export function preparationWishes(site: Site, lock: Lock): HostWish[] {
  if (!makesCluster(site, lock)) return [];
  const carried = carriedComponents(lock);
  const names = namesWish(hostNames(site));
  const etcd = new Set((site.roles?.etcd ?? []).filter((name) => site.drain?.includes(name) !== true));
  const nodes = new Set(nodesOf(site).map(({ name }) => name));
  const etcdWish = wishesOf(['etcd'], carried);
  return (site.hosts ?? [])
    .filter(({ name }) => nodes.has(name) || etcd.has(name))
    .map(({ name }) =>
      joinWishes(
        emptyWish(name),
        names,
        nodes.has(name) ? nodeWish() : {},
        nodes.has(name) ? kubernetesWish(carried) : {},
        nodes.has(name) ? wishesOf(['helm', 'calicoctl'], carried) : {},
        etcd.has(name) ? etcdWish : {},
      ),
    );
}

/** True when the registry that deliver installs shares its host with a node or etcd; a host’s record and lock are for one at a time. */
export function isRegistryOnNode(site: Site): boolean {
  const { hosts = [], roles, registry } = site;
  if (registry?.install === undefined) return false;
  const etcd = new Set(roles?.etcd ?? []);
  const cluster = [...nodesOf(site), ...hosts.filter(({ name }) => etcd.has(name))];
  const on = hosts.filter(({ name }) => roles?.registry?.includes(name) === true);
  // One machine may be two hosts of the site file.
  return on.some((one) =>
    cluster.some(({ name, address, port }) => name === one.name || (address === one.address && port === one.port)),
  );
}

/** containerd and what belongs to it, on every node of a cluster that deliver makes. */
export function runtimeWishes(site: Site, lock: Lock): HostWish[] {
  if (!makesCluster(site, lock) || (site.runtime?.kind ?? 'containerd') !== 'containerd') return [];
  const sandboxImage = sandboxImageOf(lock);
  const dataFolder = site.runtime?.dataFolder;
  const wish = runtimeWish(carriedComponents(lock), {
    ...(sandboxImage === undefined ? {} : { sandboxImage }),
    ...(dataFolder === undefined ? {} : { dataFolder }),
  });
  return nodesOf(site).map(({ name }) => joinWishes(emptyWish(name), wish));
}

/** Every host of the site, and the registry, by name: no name server is asked for them. */
function hostNames({ hosts = [], roles, registry }: Site): { address: string; names: string[] }[] {
  const entries = hosts.map((host) => ({ address: addressOf(host), names: [host.name] }));
  const bare = registry?.host.replace(/:\d+$/, '');
  const on = hosts.find(({ name }) => roles?.registry?.[0] === name);
  // An address behind a bastion is the operator’s way, not the nodes’; the host that the registry runs on is known to all.
  const given = registry?.via === undefined ? registry?.address : undefined;
  const address = given ?? (on === undefined ? undefined : addressOf(on));
  return bare === undefined || address === undefined ? entries : [...entries, { address, names: [bare] }];
}

function addressOf({ address, internalAddress }: SiteHost): string {
  return internalAddress ?? address;
}

function wishesOf(names: readonly string[], carried: ReturnType<typeof carriedComponents>): Partial<HostWish> {
  const components: WishedComponent[] = carried
    .filter(({ name }) => names.includes(name))
    .flatMap((one) => componentWish(one) ?? []);
  return { components };
}
