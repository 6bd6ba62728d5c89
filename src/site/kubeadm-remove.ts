import { drainNode } from './kubeadm-drain.ts';
import { dropEtcdMember } from './kubeadm-etcd-members.ts';
import { kubectl } from './kubeadm-host.ts';
import type { Control } from './kubeadm-join.ts';
import { clusterNodes } from './kubeadm-nodes.ts';
import type { KubernetesWorld } from './kubeadm-world.ts';

const DRAIN_SECONDS = 300;

/**
 * Nodes of the cluster that the site file no longer names: those in `drain:` are drained and removed, the others told.
 * A node that does not answer is removed without a drain: its pods can’t leave any more.
 */
export async function removeNodes(
  { settings, report, signal }: KubernetesWorld,
  control: Control,
): Promise<{ readonly removed: string[]; readonly strangers: string[] }> {
  const wanted = new Set([...settings.controlPlanes, ...settings.workers].map(({ name }) => name));
  const others = (await clusterNodes(control.connection, signal)).filter(({ name }) => !wanted.has(name));
  const removed: string[] = [];
  const strangers: string[] = [];
  for (const node of others) {
    if (!settings.drain.includes(node.name)) {
      strangers.push(node.name);
      report.note(
        `! ${node.name} is a node of the cluster and not in the site file; write drain: [${node.name}] there to remove it.`,
      );
      continue;
    }
    if (node.ready) await drainNode(control.connection, node, { seconds: DRAIN_SECONDS, signal });
    if (node.controlPlane && settings.etcd.length === 0) await dropEtcdMember(control.connection, control.node, node, signal);
    await kubectl(control.connection, `delete node --ignore-not-found ${node.name}`, { signal });
    report.note(`${node.name} is no longer a node; deliver reset takes Kubernetes off the host.`);
    removed.push(node.name);
  }
  return { removed, strangers };
}
