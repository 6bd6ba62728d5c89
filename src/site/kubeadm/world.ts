import { DeliverError, messageOf } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { HostConnection, HostConnector } from '../../ssh/port.ts';
import { probeNode, type NodeFacts } from './probe.ts';
import type { KubernetesNode, KubernetesSettings } from './settings.ts';
import { inParallel } from '../../core/in-parallel.ts';

export type KubernetesProgram = 'kubeadm' | 'kubelet' | 'kubectl';

/** Who puts the programs of the release on hosts. */
export interface KubernetesPrograms {
  /** Puts these on a host, in the release’s version; true when that changed something. A running kubelet is not restarted. */
  place(host: string, names: readonly KubernetesProgram[], signal: AbortSignal): Promise<boolean>;
}

/** Images of what deliver itself adds to nodes, as the release names them. */
export interface KubernetesImages {
  readonly haproxy?: string;
  readonly kubeVip?: string;
}

/** Everything that the Kubernetes step works with. */
export interface KubernetesWorld {
  readonly settings: KubernetesSettings;
  readonly hosts: HostConnector;
  readonly programs: KubernetesPrograms;
  readonly images: KubernetesImages;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** A node with what was found on it. */
export interface ProbedNode {
  readonly node: KubernetesNode;
  readonly facts: NodeFacts;
}

/** Hosts that are looked at, or joined, at the same time. */
export const HOSTS_AT_ONCE = 8;

export function connect(
  { hosts, signal }: Pick<KubernetesWorld, 'hosts' | 'signal'>,
  { name }: { readonly name: string },
): Promise<HostConnection> {
  return hosts.connect(name, signal);
}

/** All nodes with what is on them; those that can’t be looked at are told apart. */
export async function probeAll(
  world: Pick<KubernetesWorld, 'hosts' | 'signal' | 'settings'>,
): Promise<{ readonly probed: readonly ProbedNode[]; readonly lost: ReadonlyMap<string, string> }> {
  const { controlPlanes, workers } = world.settings;
  const found = new Map<string, NodeFacts>();
  const lost = new Map<string, string>();
  const nodes = [...controlPlanes, ...workers];
  await inParallel(nodes, HOSTS_AT_ONCE, world.signal, async (node, signal) => {
    try {
      found.set(node.name, await probeNode(await world.hosts.connect(node.name, signal), node, signal));
    } catch (error) {
      if (world.signal.aborted || !(error instanceof DeliverError)) throw error;
      lost.set(node.name, messageOf(error));
    }
  });
  const probed = nodes.flatMap((node) => {
    const facts = found.get(node.name);
    return facts === undefined ? [] : [{ node, facts }];
  });
  return { probed, lost };
}
