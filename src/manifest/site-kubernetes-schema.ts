import { z } from 'zod';
import { HostName, HostPath, StringMap } from './fields.ts';

/** How deliver makes the cluster of a site; what is left out is kubeadm's default. */
export const KubernetesOptionsSchema = z.strictObject({
  clusterName: HostName.optional(),
  dnsDomain: HostName.optional().describe('cluster.local when absent'),
  apiServerCertSANs: z.array(z.string().min(1)).optional().describe('More names and addresses in the API’s certificate'),
  proxyMode: z.enum(['iptables', 'nftables', 'ipvs']).optional(),
  maxPods: z.int().min(1).max(10_000).optional().describe('Pods per node, 110 when absent'),
  nodeCidrMaskSize: z.int().min(8).max(126).optional().describe('Bits of each node’s share of the pod network, 24 when absent'),
  featureGates: z.record(z.string(), z.boolean()).optional(),
  kubeletExtraArgs: StringMap.optional().describe('Options of the kubelet, without their “--”'),
  cgroupDriver: z.enum(['systemd', 'cgroupfs']).optional(),
  certificateValidity: z
    .string()
    .regex(/^[1-9]\d*h$/, 'must look like 8760h')
    .optional()
    .describe('How long certificates last, 8760h (a year) when absent'),
  dataFolder: HostPath.optional().describe('Folder of the kubelet, /var/lib/kubelet when absent'),
  upgradeBatch: z.int().min(1).optional().describe('How many workers are upgraded at once, 1 when absent'),
});
