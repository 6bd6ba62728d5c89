import { isDeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import type { Member } from '../site/etcd/ctl.ts';
import { leaveEtcd } from '../site/etcd/leave.ts';
import { DRAIN_SECONDS, drainNode } from '../site/kubeadm/drain.ts';
import { dropEtcdMember, refuseStackedLoss } from '../site/kubeadm/etcd-members.ts';
import { kubectl } from '../site/kubeadm/host.ts';
import type { Control } from '../site/kubeadm/join.ts';
import { clusterNodes } from '../site/kubeadm/nodes.ts';
import { probeNode } from '../site/kubeadm/probe.ts';
import { etcdHosts, kubernetesNodes, kubernetesSettings, type KubernetesNode } from '../site/kubeadm/settings.ts';
import type { SitePorts } from './site-ports.ts';

export interface Left {
  /** It was a node of the cluster, and is none now. */
  readonly left: boolean;
  /** It was a member of an etcd of its own, and is none now. */
  readonly leftEtcd: boolean;
  readonly summary: string;
}

/**
 * Takes a host out of etcd and out of the cluster, as far as others of them answer.
 * @throws DeliverError E_PREFLIGHT when etcd can’t do without it, or a pod would be lost; E_NOT_READY when pods do not leave
 */
export async function leaveCluster(node: KubernetesNode, ports: SitePorts, report: Report, signal: AbortSignal): Promise<Left> {
  const { name } = node;
  const etcd = etcdHosts(ports.loaded.site);
  const leftEtcd = etcd.includes(name) && (await leaveEtcdGroup(node, ports, signal));
  const control = await otherControl(node, ports, signal);
  const left = control !== undefined && (await leave(control, node, etcd.length === 0, report, signal));
  const parts = [...(left ? ['drained and removed'] : []), ...(leftEtcd ? ['taken out of etcd'] : [])];
  if (parts.length > 0) return { left, leftEtcd, summary: `${name} ${parts.join(', ')}` };
  const summary = control === undefined ? 'no other control plane answers: nothing to leave' : `${name} is no node of it`;
  return { left, leftEtcd, summary };
}

/** A control plane other than this host whose API answers. */
async function otherControl(node: KubernetesNode, ports: SitePorts, signal: AbortSignal): Promise<Control | undefined> {
  for (const other of kubernetesNodes(ports.loaded.site)) {
    if (!other.controlPlane || other.name === node.name) continue;
    try {
      const connection = await ports.hosts.connect(other.name, signal);
      if ((await probeNode(connection, other, signal)).ready) return { node: other, connection };
    } catch (error) {
      if (!isDeliverError(error) || isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
    }
  }
  return undefined;
}

/** Out of an etcd of its own, while another of its members answers. */
async function leaveEtcdGroup(node: KubernetesNode, ports: SitePorts, signal: AbortSignal): Promise<boolean> {
  const others: Member[] = [];
  for (const other of kubernetesSettings(ports.loaded.site, '').etcd.filter(({ name }) => name !== node.name)) {
    try {
      others.push({ node: other, connection: await ports.hosts.connect(other.name, signal) });
    } catch (error) {
      if (!isDeliverError(error) || isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
    }
  }
  return leaveEtcd({ node, connection: await ports.hosts.connect(node.name, signal) }, others, signal);
}

async function leave(
  control: Control,
  node: KubernetesNode,
  stacked: boolean,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const { name } = node;
  const found = (await clusterNodes(control.connection, signal)).find((each) => each.name === name);
  if (found === undefined) return false;
  const member = stacked && found.controlPlane;
  if (member) await refuseStackedLoss(control.connection, control.node, node, signal);
  if (found.ready) await drainNode(control.connection, found, { seconds: DRAIN_SECONDS, report, signal });
  else report.note(`${name} does not answer the cluster: removed without a drain`);
  if (member) await dropEtcdMember(control.connection, control.node, node, signal);
  await kubectl(control.connection, `delete node --ignore-not-found ${name}`, { signal });
  return true;
}
