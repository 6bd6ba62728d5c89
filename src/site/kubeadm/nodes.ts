import { z } from 'zod';
import type { HostConnection } from '../../ssh/port.ts';
import { kubectl } from './host.ts';

const NodeObject = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    unschedulable: z.boolean().optional(),
    taints: z.array(z.object({ key: z.string(), value: z.string().optional(), effect: z.string() })).optional(),
  }),
  status: z.object({
    nodeInfo: z.object({ kubeletVersion: z.string() }),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() })).default([]),
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
  }),
});

/** A node as the cluster knows it. */
export interface ClusterNode {
  readonly name: string;
  readonly version: string;
  readonly ready: boolean;
  /** Why it is not ready, as its kubelet says. */
  readonly message: string;
  readonly controlPlane: boolean;
  readonly cordoned: boolean;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

/** All nodes of the cluster. */
export async function clusterNodes(control: HostConnection, signal?: AbortSignal): Promise<ClusterNode[]> {
  const text = await kubectl(control, '--request-timeout=20s get nodes -o json', {
    what: 'listing the nodes',
    ...(signal === undefined ? {} : { signal }),
  });
  return z
    .object({ items: z.array(NodeObject) })
    .parse(JSON.parse(text))
    .items.map(nodeOf);
}

function nodeOf({ metadata, spec, status }: z.infer<typeof NodeObject>): ClusterNode {
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  return {
    name: metadata.name,
    version: status.nodeInfo.kubeletVersion,
    ready: ready?.status === 'True',
    message: ready?.message ?? 'its kubelet has not said yet how it is',
    controlPlane: 'node-role.kubernetes.io/control-plane' in metadata.labels,
    cordoned: spec.unschedulable === true,
    address: status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '',
    labels: metadata.labels,
    annotations: metadata.annotations,
    taints: (spec.taints ?? []).map(({ key, value, effect }) => ({ key, effect, ...(value === undefined ? {} : { value }) })),
  };
}
