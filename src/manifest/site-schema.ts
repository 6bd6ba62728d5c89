import { z } from 'zod';
import { HostName, HostPath, Label, Port } from './fields.ts';
import { SiteHostSchema } from './site-host-schema.ts';
import { KubernetesOptionsSchema } from './site-kubernetes-schema.ts';
import { SiteRegistrySchema } from './site-registry-schema.ts';

const Cluster = z.strictObject({
  kubeconfig: z.string().optional().describe('A kubeconfig file here, next to the site file'),
  from: HostName.optional().describe('Read the kubeconfig from this host’s /etc/kubernetes/admin.conf'),
  context: z.string().optional(),
  via: HostName.optional().describe('Reach the API through an SSH tunnel from this host'),
});

const Role = z.enum(['control-plane', 'worker', 'registry', 'etcd']);

const ControlPlaneEndpoint = z.strictObject({
  domain: z.string().min(1).describe('Name that nodes and clients reach the API by'),
  address: z.string().min(1).optional().describe('Address behind the name: a load balancer of the site, or the virtual address'),
  port: Port.optional().describe('6443 when absent'),
  loadBalancer: z
    .enum(['haproxy', 'kube-vip', 'none'])
    .optional()
    .describe('haproxy on every worker, kube-vip on every control plane, or none (default)'),
});

const Runtime = z.strictObject({
  kind: z
    .enum(['containerd', 'crio', 'k3s', 'rke2'])
    .optional()
    .describe('Container runtime of the nodes, containerd when absent'),
  dataFolder: HostPath.optional().describe('Where it keeps images and containers, /var/lib/containerd when absent'),
});

const Ingress = z.strictObject({
  class: z.string().optional(),
  addresses: z.array(z.string()).min(1),
  domain: z.string().optional(),
  dns: z
    .strictObject({ on: z.enum(['registry']).describe('Role whose hosts answer') })
    .optional()
    .describe('A CoreDNS for the site’s network that answers the ingress names'),
});

const TrustedKey = z
  .string()
  .describe('“ssh-ed25519 AAAA… name”, a line of an allowed_signers file, a PEM public key, or a file of these');
const Trust = z
  .union([
    z.array(TrustedKey),
    z.strictObject({
      keys: z.array(TrustedKey).min(1),
      threshold: z.int().min(1).optional().describe('How many different keys must have signed, 1 when absent'),
    }),
  ])
  .describe('Keys whose signature is enough, or keys and how many of them are needed');

export const SiteSchema = z
  .strictObject({
    apiVersion: z.literal('deliver/v1'),
    kind: z.literal('Site'),
    metadata: z.strictObject({ name: Label }),
    trust: Trust.optional(),
    knownHosts: z.string().optional().describe('known_hosts file; ~/.ssh/known_hosts when absent'),
    secrets: z.string().optional().describe('YAML file of name: value; environment DELIVER_SECRET_<NAME> wins'),
    hosts: z.array(SiteHostSchema).optional(),
    roles: z.partialRecord(Role, z.array(HostName)).optional(),
    drain: z
      .array(HostName)
      .optional()
      .describe('Nodes that may be drained and removed; one that is still in hosts: has Kubernetes taken off it too'),
    controlPlaneEndpoint: ControlPlaneEndpoint.optional(),
    registry: SiteRegistrySchema.optional().describe('Without one deliver brings every image to the nodes and pins it there'),
    cluster: Cluster.optional(),
    kubernetes: KubernetesOptionsSchema.optional().describe('Options of the cluster that deliver makes'),
    runtime: Runtime.optional(),
    network: z
      .strictObject({
        plugin: z.string(),
        pods: z.string().optional(),
        services: z.string().optional(),
        resolvers: z
          .array(z.union([z.ipv4(), z.ipv6()]))
          .min(1)
          .optional()
          .describe('Name servers of the site that the cluster’s CoreDNS asks for all it does not know; nobody when absent'),
      })
      .optional(),
    ingress: Ingress.optional(),
    storageClass: z.string().optional(),
    externals: z.record(z.string(), z.array(z.strictObject({ ip: z.string() })).min(1)).optional(),
    values: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ title: 'deliver Site', description: 'Where a release is installed' });

export type Site = z.infer<typeof SiteSchema>;
export type SiteHost = NonNullable<Site['hosts']>[number];
export type SiteRegistry = NonNullable<Site['registry']>;

/** The trusted keys of a site, and how many different ones must have signed. */
export function trustOf({ trust }: Pick<Site, 'trust'>): { readonly keys: readonly string[]; readonly threshold: number } {
  if (trust === undefined || Array.isArray(trust)) return { keys: trust ?? [], threshold: 1 };
  return { keys: trust.keys, threshold: trust.threshold ?? 1 };
}
