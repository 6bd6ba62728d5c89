import type { KubeKeyCluster } from './cluster-schema.ts';
import type { Findings } from './findings.ts';
import { isSet, orElse } from './hosts.ts';
import type { JsonPath } from '../problem.ts';
import type { Site } from '../site-schema.ts';

// KubeKey's own defaults (default.go), where ours differ and a running cluster would not bear the change.
const DEFAULTS = { domain: 'lb.kubesphere.local', plugin: 'calico', pods: '10.233.64.0/18', services: '10.233.0.0/18' };

type Spec = KubeKeyCluster['spec'];

/** `controlPlaneEndpoint`, none for a single control plane that the file says nothing about. */
export function siteEndpoint({ controlPlaneEndpoint: given }: Spec, findings: Findings): Pick<Site, 'controlPlaneEndpoint'> {
  if (given === undefined) return {};
  const path = ['spec', 'controlPlaneEndpoint'];
  const address = endpointAddress(given.address, [...path, 'address'], findings);
  const loadBalancer = orElse(given.internalLoadbalancer, undefined);
  if (loadBalancer === 'haproxy' && address !== undefined) {
    findings.problem(
      [...path, 'address'],
      'must be empty with internalLoadbalancer: haproxy, which every worker runs for itself',
    );
  }
  if (loadBalancer === 'kube-vip' && address === undefined) {
    findings.problem(path, 'needs the virtual address as address: for internalLoadbalancer: kube-vip');
  }
  if (given.externalDNS === true) {
    findings.note([...path, 'externalDNS'], 'nodes also get the name in /etc/hosts, so that they need no DNS');
  }
  return {
    controlPlaneEndpoint: {
      domain: orElse(given.domain, DEFAULTS.domain),
      ...(address === undefined ? {} : { address }),
      ...(isSet(given.port) ? { port: given.port } : {}),
      loadBalancer: loadBalancer ?? 'none',
    },
  };
}

/** 127.0.0.1 is how KubeKey’s own samples say “no load balancer”: it takes the first control plane then. */
function endpointAddress(given: string | undefined, path: JsonPath, findings: Findings): string | undefined {
  if (given !== '127.0.0.1') return orElse(given, undefined);
  findings.note(path, 'means no load balancer: the name stands for a control plane');
  return undefined;
}

export function siteNetwork({ network }: Spec, findings: Findings): Pick<Site, 'network'> {
  for (const field of ['kubePodsCIDR', 'kubeServiceCIDR'] as const) {
    if (network?.[field]?.includes(',') !== true) continue;
    const message = 'is not supported: deliver makes single-stack clusters; keep one CIDR';
    findings.problem(['spec', 'network', field], message, 'E_NOT_YET');
  }
  return {
    network: {
      plugin: orElse(network?.plugin, DEFAULTS.plugin),
      pods: orElse(network?.kubePodsCIDR, DEFAULTS.pods),
      services: orElse(network?.kubeServiceCIDR, DEFAULTS.services),
    },
  };
}

export function siteRuntime({ kubernetes, registry }: Spec, findings: Findings): Pick<Site, 'runtime'> {
  const path = ['spec', 'kubernetes', 'containerManager'];
  const manager = orElse(kubernetes?.containerManager, undefined);
  if (manager === 'docker')
    findings.note(path, 'pods run on containerd, which docker runs on too; Kubernetes dropped docker in 1.24');
  if (manager === 'crio' || manager === 'isula') {
    findings.problem(path, 'is not supported: deliver installs containerd', 'E_NOT_YET');
  }
  const dataFolder = orElse(registry?.dataRoot, undefined);
  return dataFolder === undefined ? {} : { runtime: { dataFolder } };
}

export function siteKubernetes({ kubernetes: given = {} }: Spec, findings: Findings): Pick<Site, 'kubernetes'> {
  const { maxPods, nodeCidrMaskSize, apiserverCertExtraSans, featureGates } = given;
  const clusterName = orElse(given.clusterName, undefined);
  const dnsDomain = orElse(given.dnsDomain, undefined);
  const proxyMode = orElse(given.proxyMode, undefined);
  const kubeletExtraArgs = kubeletArgs(given, findings);
  const kubernetes = {
    ...(clusterName === undefined ? {} : { clusterName }),
    ...(dnsDomain === undefined ? {} : { dnsDomain }),
    ...(apiserverCertExtraSans === undefined ? {} : { apiServerCertSANs: apiserverCertExtraSans }),
    ...(proxyMode === undefined ? {} : { proxyMode }),
    ...(isSet(maxPods) ? { maxPods } : {}),
    ...(isSet(nodeCidrMaskSize) ? { nodeCidrMaskSize } : {}),
    ...(featureGates === undefined ? {} : { featureGates }),
    ...(Object.keys(kubeletExtraArgs).length === 0 ? {} : { kubeletExtraArgs }),
  };
  return Object.keys(kubernetes).length === 0 ? {} : { kubernetes };
}

function kubeletArgs(
  { kubeletArgs: given = [], podPidsLimit }: NonNullable<Spec['kubernetes']>,
  findings: Findings,
): Record<string, string> {
  const pairs = given.flatMap((argument, index): [string, string][] => {
    const [, name = '', value = ''] = /^(?:--)?([a-z0-9-]+)=(.*)$/.exec(argument) ?? [];
    if (name !== '') return [[name, value]];
    findings.problem(['spec', 'kubernetes', 'kubeletArgs', index], 'must look like name=value');
    return [];
  });
  return { ...(isSet(podPidsLimit) ? { 'pod-max-pids': String(podPidsLimit) } : {}), ...Object.fromEntries(pairs) };
}
