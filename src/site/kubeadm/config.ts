import { gte, minor } from 'semver';
import { stringify } from 'yaml';
import { ETCD_CLIENT } from '../etcd/files.ts';
import { CRI_SOCKET, PATCHES } from './paths.ts';
import { API_PORT, hostPort } from '../balancer/endpoint.ts';
import { CONTROL_PLANE_TAINT, type KubernetesNode, type KubernetesSettings } from './settings.ts';

/** What the hosts allow, as far as it changes what is written. */
export interface ClusterLimits {
  /** No node may raise the kernel’s table of connections: kube-proxy must not try. */
  readonly fixedConntrack: boolean;
}

export interface BootstrapToken {
  readonly token: string;
  /** How long it works, as Go writes it: `30m0s`. */
  readonly ttl: string;
}

export interface Discovery extends Omit<BootstrapToken, 'ttl'> {
  /** `host:port` of an API server. */
  readonly server: string;
  /** `sha256:…` of the CA’s public key. */
  readonly caHash: string;
}

/** Marks tokens that are ours to delete. */
export const TOKEN_DESCRIPTION = 'made by deliver, deleted when the nodes have joined';

/** The errors of kubeadm’s preflight that only say “I was here before”: ignored where deliver itself began. */
export const OWN_TRACES: readonly string[] = [
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'].map(
    (name) => `FileAvailable--etc-kubernetes-manifests-${name}.yaml`,
  ),
  ...[6443, 10250, 10257, 10259, 2379, 2380].map((port) => `Port-${String(port)}`),
  'DirAvailable--var-lib-etcd',
];

/** Everything that `kubeadm init --config` reads, in one file. */
export function initDocuments(
  settings: KubernetesSettings,
  node: KubernetesNode,
  options: {
    readonly token: BootstrapToken;
    readonly limits: ClusterLimits;
    readonly ignore?: readonly string[];
  },
): string {
  const { token, limits, ignore = [] } = options;
  const init = {
    apiVersion: kubeadmApi(settings.version),
    kind: 'InitConfiguration',
    bootstrapTokens: [
      {
        token: token.token,
        ttl: token.ttl,
        description: TOKEN_DESCRIPTION,
        usages: ['signing', 'authentication'],
        groups: ['system:bootstrappers:kubeadm:default-node-token'],
      },
    ],
    localAPIEndpoint: { advertiseAddress: node.address, bindPort: API_PORT },
    nodeRegistration: nodeRegistration(settings, node, ignore),
    patches: { directory: PATCHES },
  };
  return documents([init, clusterConfiguration(settings), kubeletConfiguration(settings), proxyConfiguration(settings, limits)]);
}

/** For `kubeadm init phase upload-certs`: the key is in the file, and in no argument. */
export function uploadDocument(settings: KubernetesSettings, node: KubernetesNode, certificateKey: string): string {
  const init = {
    apiVersion: kubeadmApi(settings.version),
    kind: 'InitConfiguration',
    certificateKey,
    localAPIEndpoint: { advertiseAddress: node.address, bindPort: API_PORT },
    nodeRegistration: nodeRegistration(settings, node, []),
  };
  return documents([init, clusterConfiguration(settings)]);
}

export function joinDocument(
  settings: KubernetesSettings,
  node: KubernetesNode,
  discovery: Discovery,
  certificateKey?: string,
): string {
  return documents([
    {
      apiVersion: kubeadmApi(settings.version),
      kind: 'JoinConfiguration',
      discovery: {
        bootstrapToken: { token: discovery.token, apiServerEndpoint: discovery.server, caCertHashes: [discovery.caHash] },
      },
      // A load balancer’s static pod may lie there already.
      nodeRegistration: nodeRegistration(settings, node, ['DirAvailable--etc-kubernetes-manifests']),
      ...(node.controlPlane
        ? {
            controlPlane: {
              localAPIEndpoint: { advertiseAddress: node.address, bindPort: API_PORT },
              ...(certificateKey === undefined ? {} : { certificateKey }),
            },
          }
        : {}),
      patches: { directory: PATCHES },
    },
  ]);
}

/** For `kubeadm upgrade apply|node --config`; before v1beta4 there was none, and flags are used (`upgradeFlags`). */
export function upgradeDocument(version: string): string | undefined {
  if (!isBeta4(version)) return undefined;
  const common = { certificateRenewal: true, etcdUpgrade: true, imagePullSerial: false, patches: { directory: PATCHES } };
  return documents([
    {
      apiVersion: kubeadmApi(version),
      kind: 'UpgradeConfiguration',
      apply: { ...common, kubernetesVersion: version, forceUpgrade: true, ignorePreflightErrors: COREDNS_IS_OURS },
      node: common,
    },
  ]);
}

/** The same as flags. */
export function upgradeFlags(verb: 'apply' | 'node'): string {
  const ignore = verb === 'apply' ? ` --yes --ignore-preflight-errors=${COREDNS_IS_OURS.join(',')}` : '';
  return `--certificate-renewal=true --etcd-upgrade=true --patches=${PATCHES}${ignore}`;
}

/** The Corefile comes with the release: kubeadm need not understand it to carry it over. */
const COREDNS_IS_OURS = ['CoreDNSUnsupportedPlugins', 'CoreDNSMigration'];

/** What differs from host to host goes into a patch of the kubelet’s configuration, not into the cluster’s. */
export function kubeletPatch(version: string, host: { readonly cgroup: 1 | 2 }): string {
  // The field came with 1.31; before, the kubelet took cgroup v1 without a word.
  const tolerate = host.cgroup === 1 && minor(version) >= 31;
  return documents([{ ...KUBELET, ...(tolerate ? { failCgroupV1: false } : {}) }]);
}

export function clusterConfiguration(settings: KubernetesSettings): object {
  const { version, endpoint, certificateValidity, nodeCidrMaskSize, etcd } = settings;
  const validity =
    certificateValidity === undefined || !isBeta4(version) ? {} : { certificateValidityPeriod: certificateValidity };
  const gates = Object.entries(settings.featureGates).map(([name, on]) => `${name}=${String(on)}`);
  const common: Record<string, string> = gates.length === 0 ? {} : { 'feature-gates': gates.join(',') };
  const mask = nodeCidrMaskSize === undefined ? {} : { 'node-cidr-mask-size': String(nodeCidrMaskSize) };
  return {
    apiVersion: kubeadmApi(version),
    kind: 'ClusterConfiguration',
    kubernetesVersion: version,
    clusterName: settings.clusterName,
    ...(endpoint === undefined ? {} : { controlPlaneEndpoint: hostPort(endpoint.domain, endpoint.port) }),
    networking: { podSubnet: settings.pods, serviceSubnet: settings.services, dnsDomain: settings.dnsDomain },
    apiServer: { certSANs: [...settings.certSans], ...extraArgs(version, common) },
    ...component(version, 'controllerManager', { ...common, ...mask }),
    ...component(version, 'scheduler', common),
    ...validity,
    ...(etcd.length === 0
      ? {}
      : { etcd: { external: { endpoints: etcd.map(({ address }) => `https://${hostPort(address, 2379)}`), ...ETCD_CLIENT } } }),
  };
}

const KUBELET = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };

function kubeletConfiguration({ version, cgroupDriver, maxPods, featureGates }: KubernetesSettings): object {
  const pods = maxPods === undefined ? {} : { maxPods };
  // The registry is near: several images at once.
  const pulls = isBeta4(version) ? { serializeImagePulls: false, maxParallelImagePulls: 4 } : {};
  return { ...KUBELET, cgroupDriver, ...pods, ...pulls, ...gatesOf(featureGates), rotateCertificates: true };
}

function gatesOf(featureGates: Readonly<Record<string, boolean>>): object {
  return Object.keys(featureGates).length === 0 ? {} : { featureGates };
}

function proxyConfiguration({ proxyMode, featureGates }: KubernetesSettings, { fixedConntrack }: ClusterLimits): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: proxyMode,
    ...gatesOf(featureGates),
    ...(fixedConntrack ? { conntrack: { maxPerCore: 0, min: 0 } } : {}),
  };
}

function nodeRegistration(settings: KubernetesSettings, node: KubernetesNode, ignore: readonly string[]): object {
  const extra = { ...settings.kubeletExtraArgs, 'node-ip': node.address };
  return {
    name: node.name,
    criSocket: CRI_SOCKET,
    imagePullPolicy: 'IfNotPresent',
    ...(isBeta4(settings.version) ? { imagePullSerial: false } : {}),
    kubeletExtraArgs: args(settings.version, extra),
    ...(ignore.length === 0 ? {} : { ignorePreflightErrors: [...ignore] }),
    // Absent means kubeadm’s own taint of control planes; the others are put on through the API, in step with the site file.
    taints: node.taints.filter(({ key }) => key === CONTROL_PLANE_TAINT.key).map(({ key, effect }) => ({ key, effect })),
  };
}

function component(version: string, name: string, given: Readonly<Record<string, string>>): object {
  return Object.keys(given).length === 0 ? {} : { [name]: extraArgs(version, given) };
}

function extraArgs(version: string, given: Readonly<Record<string, string>>): object {
  return Object.keys(given).length === 0 ? {} : { extraArgs: args(version, given) };
}

function args(version: string, given: Readonly<Record<string, string>>): object {
  return isBeta4(version) ? Object.entries(given).map(([name, value]) => ({ name, value })) : { ...given };
}

function isBeta4(version: string): boolean {
  return gte(version, '1.31.0');
}

/** Version of kubeadm’s configuration that this Kubernetes reads. */
export function kubeadmApi(version: string): string {
  return `kubeadm.k8s.io/${isBeta4(version) ? 'v1beta4' : 'v1beta3'}`;
}

function documents(all: readonly object[]): string {
  return all.map((one) => stringify(one)).join('---\n');
}
