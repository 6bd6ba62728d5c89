import { z } from 'zod';
import { Label, Port } from './fields.ts';

/** `${secret.name}`; a literal password in the file is refused with that advice. */
const SecretVariable = z
  .string()
  .regex(/^\$\{secret\.[A-Za-z0-9_.-]+\}$/, 'must be ${secret.name}; passwords do not belong in this file');

const Host = z.strictObject({
  name: Label,
  address: z.string().min(1),
  port: Port.optional().describe('SSH port, 22 when absent'),
  user: z.string().min(1).optional(),
  key: z.string().optional().describe('Private key file; ~ is the home directory'),
  passphrase: SecretVariable.optional().describe('Passphrase of the private key'),
  password: SecretVariable.optional(),
  sudo: z.boolean().optional().describe('Use sudo; its password is sudoPassword, else password'),
  sudoPassword: SecretVariable.optional(),
  via: Label.optional().describe('Name of the host to jump through'),
  hostKey: z.string().optional().describe('Pinned host key: “ssh-ed25519 AAAA…”; without it known_hosts decides'),
});

const Registry = z.strictObject({
  type: z.enum(['auto', 'harbor', 'plain']).optional().describe('auto (default) asks the registry whether it is a Harbor'),
  host: z.string().min(1).describe('Name that pods and nodes use, with a port if it is not 443'),
  address: z.string().optional().describe('Address to connect to instead of resolving the name'),
  via: Label.optional().describe('Reach it through an SSH tunnel from this host'),
  project: z.string().optional().describe('Put every source host below this one project'),
  username: z.string().optional(),
  password: SecretVariable.optional(),
  pull: z
    .strictObject({ username: z.string(), password: SecretVariable })
    .optional()
    .describe('Account that pods pull with; without it deliver makes a robot account in Harbor that may only pull'),
  storage: z
    .string()
    .startsWith('/')
    .optional()
    .describe('Folder where hosts of the role registry keep its data; plan checks that what is pushed fits there'),
  ca: z.string().optional().describe('PEM file of the private CA'),
  plainHttp: z.boolean().optional(),
});

const Cluster = z.strictObject({
  kubeconfig: z.string().optional().describe('A kubeconfig file here, next to the site file'),
  from: Label.optional().describe('Read the kubeconfig from this host’s /etc/kubernetes/admin.conf'),
  context: z.string().optional(),
  via: Label.optional().describe('Reach the API through an SSH tunnel from this host'),
});

const Role = z.enum(['control-plane', 'worker', 'registry', 'etcd']);

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
    hosts: z.array(Host).optional(),
    roles: z.partialRecord(Role, z.array(Label)).optional(),
    controlPlaneEndpoint: z
      .strictObject({ domain: z.string(), port: Port.optional(), loadBalancer: z.enum(['haproxy', 'kube-vip']).optional() })
      .optional(),
    registry: Registry.optional(),
    cluster: Cluster.optional(),
    network: z.strictObject({ plugin: z.string(), pods: z.string().optional(), services: z.string().optional() }).optional(),
    ingress: z
      .strictObject({ class: z.string().optional(), addresses: z.array(z.string()).min(1), domain: z.string().optional() })
      .optional(),
    storageClass: z.string().optional(),
    externals: z.record(z.string(), z.array(z.strictObject({ ip: z.string() })).min(1)).optional(),
    values: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ title: 'deliver Site', description: 'Where a release is installed' });

export type Site = z.infer<typeof SiteSchema>;
export type SiteHost = z.infer<typeof Host>;
export type SiteRegistry = z.infer<typeof Registry>;

/** The trusted keys of a site, and how many different ones must have signed. */
export function trustOf({ trust }: Pick<Site, 'trust'>): { readonly keys: readonly string[]; readonly threshold: number } {
  if (trust === undefined || Array.isArray(trust)) return { keys: trust ?? [], threshold: 1 };
  return { keys: trust.keys, threshold: trust.threshold ?? 1 };
}
