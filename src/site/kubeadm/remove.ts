import { z } from 'zod';
import { DeliverError, messageOf } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { DRAIN_SECONDS, drainNode } from './drain.ts';
import { dropEtcdMember, refuseStackedLoss } from './etcd-members.ts';
import { kubectl } from './host.ts';
import type { Control } from './join.ts';
import { clusterNodes, type ClusterNode } from './nodes.ts';
import { probeNode } from './probe.ts';
import type { KubernetesNode } from './settings.ts';
import { wipeHost } from './wipe.ts';
import type { KubernetesWorld } from './world.ts';

/**
 * Nodes of the cluster that the site file no longer names: those in `drain:` are drained and removed, and Kubernetes taken off
 * those that are still hosts of the site; the others are told. The node itself is deleted last, so that a run that was killed is
 * gone on with. A node that does not answer is removed without a drain: its pods can’t leave any more.
 * @throws DeliverError E_PREFLIGHT when etcd can’t do without it, or a pod would be lost; E_NOT_READY when pods do not leave
 */
export async function removeNodes(
  world: KubernetesWorld,
  control: Control,
): Promise<{ readonly removed: string[]; readonly strangers: string[] }> {
  const { settings, report, signal } = world;
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
    await removeNode(world, control, node);
    removed.push(node.name);
  }
  return { removed, strangers };
}

async function removeNode(world: KubernetesWorld, control: Control, node: ClusterNode): Promise<void> {
  const { settings, report, signal } = world;
  const stacked = node.controlPlane && settings.etcd.length === 0;
  if (stacked) await refuseStackedLoss(control.connection, control.node, node, signal);
  const claims = await claimsOn(control.connection, node.name, signal);
  if (claims.length > 0) report.note(`! The data of ${claims.join(', ')} is on ${node.name} alone, and stays on its disk.`);
  if (node.ready) await drainNode(control.connection, node, { seconds: DRAIN_SECONDS, report, signal });
  else report.note(`! ${node.name} does not answer the cluster (${node.message}): removed without a drain.`);
  if (stacked) await dropEtcdMember(control.connection, control.node, node, signal);
  const host = settings.leaving.find(({ name }) => name === node.name);
  const wiped = host !== undefined && (await wipeIfReached(world, host));
  await kubectl(control.connection, `delete node --ignore-not-found ${node.name}`, { signal });
  report.note(
    wiped
      ? `${node.name} is no longer a node, and Kubernetes is off the host: take it out of the site file, drain: too.`
      : `! ${node.name} is no longer a node, and Kubernetes is still on that host: kubeadm reset there before it is used again.`,
  );
}

/** @returns false when the host can’t be reached */
async function wipeIfReached({ hosts, settings, report, signal }: KubernetesWorld, host: KubernetesNode): Promise<boolean> {
  let connection: HostConnection;
  try {
    connection = await hosts.connect(host.name, signal);
    await probeNode(connection, host, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof DeliverError)) throw error;
    report.note(`! ${host.name} can’t be reached: ${messageOf(error)}`);
    return false;
  }
  await wipeHost(connection, { etcdData: settings.etcd.length === 0, forGood: true, signal });
  return true;
}

const Volumes = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        claimRef: z.object({ namespace: z.string(), name: z.string() }).optional(),
        nodeAffinity: z.unknown().optional(),
      }),
    }),
  ),
});

/** Claims whose volume can be used on that node only. */
async function claimsOn(control: HostConnection, node: string, signal: AbortSignal): Promise<string[]> {
  const text = await kubectl(control, '--request-timeout=20s get persistentvolumes -o json', { signal });
  return Volumes.parse(JSON.parse(text)).items.flatMap(({ spec: { claimRef, nodeAffinity } }) =>
    claimRef !== undefined && JSON.stringify(nodeAffinity ?? '').includes(`["${node}"]`)
      ? [`${claimRef.namespace}/${claimRef.name}`]
      : [],
  );
}
