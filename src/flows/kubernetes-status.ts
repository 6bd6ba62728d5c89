import { inParallel } from '../core/in-parallel.ts';
import { isDeliverError } from '../core/errors.ts';
import type { Site } from '../manifest/site-schema.ts';
import { certificatesOf, type Certificate } from '../site/kubeadm/certs.ts';
import { stackedMembers, type EtcdMember } from '../site/kubeadm/etcd-members.ts';
import type { Control } from '../site/kubeadm/join.ts';
import { clusterNodes, type ClusterNode } from '../site/kubeadm/nodes.ts';
import { probeNode } from '../site/kubeadm/probe.ts';
import { buildsKubernetes, kubernetesSettings } from '../site/kubeadm/settings.ts';
import type { HostConnector } from '../ssh/port.ts';

const AT_ONCE = 8;

/** How the Kubernetes that deliver keeps is. */
export interface KubernetesStatus {
  readonly nodes: readonly Pick<ClusterNode, 'name' | 'version' | 'ready' | 'message' | 'controlPlane' | 'cordoned'>[];
  /** Members of a stacked etcd; empty for one of its own. */
  readonly etcd: readonly EtcdMember[];
  /** Per control plane, the certificate that ends first. */
  readonly certificates: readonly { readonly host: string; readonly name: string; readonly daysLeft: number }[];
  /** Hosts that could not be asked. */
  readonly silent: readonly string[];
}

/** Reads only; undefined where the site’s cluster is not deliver’s to keep. A host that does not answer is told as such. */
export async function kubernetesStatus(
  site: Site,
  hosts: HostConnector,
  signal: AbortSignal,
): Promise<KubernetesStatus | undefined> {
  if (!buildsKubernetes(site)) return undefined;
  const settings = kubernetesSettings(site, '');
  const found = new Map<string, { readonly control?: Control; readonly first?: Certificate }>();
  const silent: string[] = [];
  await inParallel(settings.controlPlanes, AT_ONCE, signal, async (node) => {
    try {
      const connection = await hosts.connect(node.name, signal);
      const { ready } = await probeNode(connection, node, signal);
      // The kubelet renews its own.
      const [first] = (await certificatesOf(connection, new Date(), signal)).filter(({ name }) => name !== 'kubelet');
      found.set(node.name, { ...(ready ? { control: { node, connection } } : {}), ...(first === undefined ? {} : { first }) });
    } catch (error) {
      if (signal.aborted || !isDeliverError(error)) throw error;
      silent.push(node.name);
    }
  });
  const control = [...found.values()].find((each) => each.control !== undefined)?.control;
  return {
    nodes: control === undefined ? [] : await clusterNodes(control.connection, signal),
    etcd: control === undefined || settings.etcd.length > 0 ? [] : await stackedMembers(control.connection, control.node, signal),
    certificates: [...found].flatMap(([host, { first }]) =>
      first === undefined ? [] : [{ host, name: first.name, daysLeft: first.daysLeft }],
    ),
    silent,
  };
}
