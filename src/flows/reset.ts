import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { didYouMean } from '../manifest/suggest.ts';
import { drainNode } from '../site/kubeadm-drain.ts';
import { dropEtcdMember } from '../site/kubeadm-etcd-members.ts';
import { kubectl } from '../site/kubeadm-host.ts';
import type { Control } from '../site/kubeadm-join.ts';
import { clusterNodes } from '../site/kubeadm-nodes.ts';
import { probeNode } from '../site/kubeadm-probe.ts';
import { kubernetesNodes, type KubernetesNode } from '../site/kubeadm-settings.ts';
import { wipeHost } from '../site/kubeadm-wipe.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep } from './site-step.ts';

const DRAIN_SECONDS = 300;

export interface ResetResult {
  readonly host: string;
  /** It was a node of the cluster, and is none now. */
  readonly left: boolean;
}

/** `deliver reset`: out of the cluster, where there still is one, then Kubernetes off the host. Programs and images stay. */
export function resetFlow(name: string, ports: SitePorts): Flow<ResetResult> {
  const node = wanted(name, ports);
  let left = false;
  let result: ResetResult | undefined;
  return {
    steps: [
      siteStep(ports, 'leave', 'Cluster', async (report, signal) => {
        const control = await otherControl(node, ports, signal);
        if (control === undefined) return { summary: 'no other control plane answers: nothing to leave' };
        left = await leave(
          control,
          node,
          (line) => {
            report.note(line);
          },
          signal,
        );
        return left ? { summary: `${name} drained and removed`, changed: 1 } : { summary: `${name} is no node of it` };
      }),
      siteStep(
        ports,
        'wipe',
        'Host',
        async (_report, signal) => {
          await wipeHost(await ports.hosts.connect(name, signal), { etcdData: true, signal });
          result = { host: name, left };
          return { summary: `Kubernetes is off ${name}`, changed: 1 };
        },
        {
          last: () => undefined,
          state: (own) => own ?? `${name} may still have parts of Kubernetes; run the same command again.`,
        },
      ),
    ],
    result: () => needed(result),
  };
}

function wanted(name: string, { loaded: { site } }: SitePorts): KubernetesNode {
  const nodes = kubernetesNodes(site);
  const node = nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  throw new DeliverError('E_USAGE', {
    what: `The site file has no host ${name} in the roles control-plane, worker or etcd.${didYouMean(
      name,
      nodes.map((each) => each.name),
    )}`,
    state: 'Nothing was changed.',
  });
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

async function leave(
  control: Control,
  { name, address }: KubernetesNode,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const found = (await clusterNodes(control.connection, signal)).find((each) => each.name === name);
  if (found === undefined) return false;
  if (found.ready) await drainNode(control.connection, found, { seconds: DRAIN_SECONDS, signal });
  else note(`${name} does not answer the cluster: removed without a drain`);
  if (found.controlPlane)
    await dropEtcdMember(control.connection, control.node, { name, address }, signal).catch(() => undefined);
  await kubectl(control.connection, `delete node --ignore-not-found ${name}`, { signal });
  return true;
}
