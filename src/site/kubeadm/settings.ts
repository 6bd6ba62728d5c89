import { isIP } from 'node:net';
import { DeliverError } from '../../core/errors.ts';
import type { Site, SiteHost } from '../../manifest/site-schema.ts';
import { endpointOf, type Endpoint } from '../balancer/endpoint.ts';

/** A taint as the API has it. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** A host as Kubernetes sees it. */
export interface KubernetesNode {
  /** Name of the host in the site file, and of its node. */
  readonly name: string;
  /** IP address that the other nodes reach it at. */
  readonly address: string;
  readonly controlPlane: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
}

/** What the site and the release say about the cluster, with the defaults filled in. */
export interface KubernetesSettings {
  readonly version: string;
  readonly clusterName: string;
  readonly dnsDomain: string;
  readonly pods: string;
  readonly services: string;
  readonly proxyMode: string;
  readonly cgroupDriver: string;
  readonly endpoint?: Endpoint;
  readonly certSans: readonly string[];
  readonly maxPods?: number;
  readonly nodeCidrMaskSize?: number;
  readonly kubeletExtraArgs: Readonly<Record<string, string>>;
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly certificateValidity?: string;
  readonly controlPlanes: readonly KubernetesNode[];
  /** Those that are no control planes. */
  readonly workers: readonly KubernetesNode[];
  /** Hosts of an etcd of their own; none: etcd runs on the control planes (stacked). */
  readonly etcd: readonly KubernetesNode[];
  /** Workers that are upgraded at once. */
  readonly upgradeBatch: number;
  /** Names that may be drained and removed. */
  readonly drain: readonly string[];
  /** Those of them that are still hosts of the site: Kubernetes is taken off them too. */
  readonly leaving: readonly KubernetesNode[];
}

export const CONTROL_PLANE_TAINT: Taint = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };

/** True when deliver makes and keeps the cluster itself (docs/decisions/0025). */
export function buildsKubernetes(site: Site): boolean {
  return site.cluster === undefined && (site.roles?.['control-plane'] ?? []).length > 0;
}

/** Hosts of an etcd of its own, also those that are to go; none: it runs on the control planes. */
export function etcdHosts({ roles = {} }: Site): readonly string[] {
  const names = roles.etcd ?? [];
  return sameNames(names, roles['control-plane'] ?? []) ? [] : names;
}

/** Every host of the cluster and of its etcd, control planes first. @throws DeliverError E_PREFLIGHT */
export function kubernetesNodes(site: Site): KubernetesNode[] {
  const { controlPlanes, workers, etcd } = kubernetesSettings(site, '');
  return [
    ...controlPlanes,
    ...workers,
    ...etcd.filter(({ name }) => ![...controlPlanes, ...workers].some((node) => node.name === name)),
  ];
}

/** @throws DeliverError E_PREFLIGHT when a node has no IP address to be reached at */
export function kubernetesSettings(site: Site, version: string): KubernetesSettings {
  const { roles = {}, network, kubernetes = {} } = site;
  const controlNames = roles['control-plane'] ?? [];
  const workerNames = roles.worker ?? [];
  const draining = new Set(site.drain ?? []);
  const hostNode = (name: string): KubernetesNode[] => {
    const host = (site.hosts ?? []).find((candidate) => candidate.name === name);
    return host === undefined ? [] : [nodeOf(host, controlNames.includes(name), workerNames.includes(name))];
  };
  const node = (name: string): KubernetesNode[] => (draining.has(name) ? [] : hostNode(name));
  const endpoint = endpointOf(site);
  const controlPlanes = controlNames.flatMap(node);
  if (controlPlanes.length === 0 && controlNames.length > 0) throw noneLeft('control plane', controlNames);
  const etcdNames = etcdHosts(site);
  const etcd = etcdNames.flatMap(node);
  if (etcd.length === 0 && etcdNames.length > 0) throw noneLeft('member of etcd', etcdNames);
  const { maxPods, nodeCidrMaskSize, certificateValidity } = kubernetes;
  return {
    version,
    clusterName: kubernetes.clusterName ?? 'kubernetes',
    dnsDomain: kubernetes.dnsDomain ?? 'cluster.local',
    pods: network?.pods ?? '10.244.0.0/16',
    services: network?.services ?? '10.96.0.0/12',
    proxyMode: kubernetes.proxyMode ?? 'iptables',
    cgroupDriver: kubernetes.cgroupDriver ?? 'systemd',
    ...(endpoint === undefined ? {} : { endpoint }),
    certSans: certSans(controlPlanes, endpoint, kubernetes.apiServerCertSANs ?? []),
    ...(maxPods === undefined ? {} : { maxPods }),
    ...(nodeCidrMaskSize === undefined ? {} : { nodeCidrMaskSize }),
    ...(certificateValidity === undefined ? {} : { certificateValidity }),
    kubeletExtraArgs: {
      ...(kubernetes.dataFolder === undefined ? {} : { 'root-dir': kubernetes.dataFolder }),
      ...kubernetes.kubeletExtraArgs,
    },
    featureGates: kubernetes.featureGates ?? {},
    controlPlanes,
    workers: workerNames.filter((name) => !controlNames.includes(name)).flatMap(node),
    etcd,
    upgradeBatch: kubernetes.upgradeBatch ?? 1,
    drain: [...draining],
    leaving: [...draining].flatMap(hostNode),
  };
}

function noneLeft(role: string, names: readonly string[]): DeliverError {
  return new DeliverError('E_PREFLIGHT', {
    what: `drain: names every ${role} (${names.join(', ')}).`,
    fix: 'Leave one of them, or take Kubernetes off the hosts one by one: deliver reset HOST --site SITE.',
    state: 'Nothing was changed.',
  });
}

function nodeOf(host: SiteHost, controlPlane: boolean, worker: boolean): KubernetesNode {
  const address = host.internalAddress ?? host.address;
  if (isIP(address) === 0) {
    throw new DeliverError('E_PREFLIGHT', {
      what: `Host ${host.name} has no IP address in the site file.`,
      why: `Its address is ${address}, a name; Kubernetes binds to addresses.`,
      fix: `Add internalAddress: <its IP on the nodes’ network> to host ${host.name}.`,
    });
  }
  const own = (host.taints ?? []).map(({ key, value, effect }): Taint => ({
    key,
    effect,
    ...(value === undefined ? {} : { value }),
  }));
  const taints = controlPlane && !worker ? [CONTROL_PLANE_TAINT, ...own] : own;
  return { name: host.name, address, controlPlane, labels: host.labels ?? {}, taints };
}

/** Every name that somebody may call the API server by: a certificate can’t be widened without being made anew. */
function certSans(controlPlanes: readonly KubernetesNode[], endpoint: Endpoint | undefined, given: readonly string[]): string[] {
  const names = [
    ...(endpoint === undefined ? [] : [endpoint.domain]),
    ...(endpoint?.address === undefined ? [] : [endpoint.address]),
    ...controlPlanes.flatMap(({ name, address }) => [name, address]),
    'localhost',
    '127.0.0.1',
    ...given,
  ];
  return [...new Set(names)];
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  return some.length === 0 || (some.length === others.length && some.every((name) => others.includes(name)));
}
