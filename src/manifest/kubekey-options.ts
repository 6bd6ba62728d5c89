import type { KubeKeyCluster } from './kubekey-cluster-schema.ts';
import type { Findings } from './kubekey-findings.ts';
import { orElse } from './kubekey-hosts.ts';
import type { Site } from './site-schema.ts';

// KubeKey's own defaults (default.go), where ours differ and a running cluster would not bear the change.
const DEFAULTS = { domain: 'lb.kubesphere.local', plugin: 'calico', pods: '10.233.64.0/18', services: '10.233.0.0/18' };

type Spec = KubeKeyCluster['spec'];

/** `controlPlaneEndpoint`, none for a single control plane that the file says nothing about. */
export function siteEndpoint({ controlPlaneEndpoint: given }: Spec, findings: Findings): Pick<Site, 'controlPlaneEndpoint'> {
  if (given === undefined) return {};
  const path = ['spec', 'controlPlaneEndpoint'];
  const address = orElse(given.address, undefined);
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
  if (given.externalDNS === true && (address !== undefined || loadBalancer !== undefined)) {
    findings.note([...path, 'externalDNS'], 'nodes also get the name in /etc/hosts, so that they need no DNS');
  }
  return {
    controlPlaneEndpoint: {
      domain: orElse(given.domain, DEFAULTS.domain),
      ...(address === undefined ? {} : { address }),
      ...(given.port === undefined ? {} : { port: given.port }),
      loadBalancer: loadBalancer ?? 'none',
    },
  };
}

export function siteNetwork({ network }: Spec): Pick<Site, 'network'> {
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
    ...(maxPods === undefined ? {} : { maxPods }),
    ...(nodeCidrMaskSize === undefined ? {} : { nodeCidrMaskSize }),
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
  return { ...(podPidsLimit === undefined ? {} : { 'pod-max-pids': String(podPidsLimit) }), ...Object.fromEntries(pairs) };
}
