import { z } from 'zod';
import { StringMap } from '../fields.ts';
import { KubeKeyKubernetes } from './kubernetes-schema.ts';
import { KubeKeyAuth, KubeKeyMetadata } from './manifest-schema.ts';
import { KubeKeyNetwork } from './network-schema.ts';

// KubeKey v1alpha2, cmd/kk/apis/kubekey/v1alpha2/{cluster,etcd,dns,addons}_types.go.

const Text = z.string();
const Texts = z.array(Text);
/** 0 is “not set”, as everywhere in KubeKey. */
const GoPort = z.int().min(0).max(65535);

const Host = z.strictObject({
  name: Text.min(1),
  address: Text.optional(),
  internalAddress: Text.optional(),
  port: GoPort.optional(),
  user: Text.optional(),
  password: Text.optional(),
  privateKey: Text.optional(),
  privateKeyPath: Text.optional(),
  arch: Text.optional(),
  timeout: z.int().optional(),
  labels: StringMap.optional(),
});

const ControlPlaneEndpoint = z.strictObject({
  internalLoadbalancer: z.enum(['haproxy', 'kube-vip', '']).optional(),
  domain: Text.optional(),
  externalDNS: z.boolean().optional(),
  address: Text.optional(),
  port: GoPort.optional(),
  kubevip: z.strictObject({ mode: z.enum(['ARP', 'BGP', '']).optional() }).optional(),
});

const Scripts = z.array(
  z.strictObject({ name: Text.optional(), bash: Text.optional(), role: Text.optional(), materials: Texts.optional() }),
);

const System = z.strictObject({
  ntpServers: Texts.optional(),
  timezone: Text.optional(),
  rpms: Texts.optional(),
  debs: Texts.optional(),
  preInstall: Scripts.optional(),
  postClusterInstall: Scripts.optional(),
  postInstall: Scripts.optional(),
  skipConfigureOS: z.boolean().optional(),
});

const Etcd = z.strictObject({
  type: z.enum(['kubekey', 'kubeadm', 'external', '']).optional(),
  external: z
    .strictObject({
      endpoints: Texts.optional(),
      caFile: Text.optional(),
      certFile: Text.optional(),
      keyFile: Text.optional(),
    })
    .optional(),
  port: GoPort.optional(),
  peerPort: GoPort.optional(),
  extraArgs: Texts.optional(),
  backupDir: Text.optional(),
  backupPeriod: z.int().optional(),
  keepBackupNumber: z.int().optional(),
  backupScript: Text.optional(),
  dataDir: Text.optional(),
  heartbeatInterval: z.int().optional(),
  electionTimeout: z.int().optional(),
  snapshotCount: z.int().optional(),
  autoCompactionRetention: z.int().optional(),
  metrics: Text.optional(),
  quotaBackendBytes: z.int().optional(),
  maxRequestBytes: z.int().optional(),
  maxSnapshots: z.int().optional(),
  maxWals: z.int().optional(),
  logLevel: Text.optional(),
});

const Zones = z.array(
  z.strictObject({
    zones: Texts.optional(),
    nameservers: Texts.optional(),
    cache: z.int().optional(),
    rewrite: Texts.optional(),
  }),
);

const Dns = z.strictObject({
  dnsEtcHosts: Text.optional(),
  coredns: z
    .strictObject({
      additionalConfigs: Text.optional(),
      externalZones: Zones.optional(),
      rewriteBlock: Text.optional(),
      upstreamDNSServers: Texts.optional(),
    })
    .optional(),
  nodelocaldns: z.strictObject({ externalZones: Zones.optional() }).optional(),
});

const Registry = z.strictObject({
  type: z.enum(['harbor', 'harbor-ha', 'docker-registry', 'registry', '']).optional(),
  registryMirrors: Texts.optional(),
  insecureRegistries: Texts.optional(),
  privateRegistry: Text.optional(),
  dataRoot: Text.optional(),
  namespaceOverride: Text.optional(),
  namespaceRewrite: z.strictObject({ policy: Text.optional(), src: Texts.optional(), dest: Text.optional() }).optional(),
  bridgeIP: Text.optional(),
  plainHttp: z.boolean().optional(),
  auths: z.record(Text, KubeKeyAuth).optional(),
  port: GoPort.optional(),
});

const Addon = z.strictObject({
  name: Text.optional(),
  namespace: Text.optional(),
  sources: z.unknown().optional(),
  retries: z.int().optional(),
  delay: z.int().optional(),
});

export const KUBEKEY_ROLES = ['etcd', 'control-plane', 'master', 'worker', 'registry'] as const;

const ROLE_GROUPS = {
  etcd: Texts.optional(),
  'control-plane': Texts.optional(),
  master: Texts.optional(),
  worker: Texts.optional(),
  registry: Texts.optional(),
};

/** As little of a Cluster as its roles can be checked by. */
export const KubeKeyRolesSchema = z.object({
  spec: z.object({ hosts: z.array(z.object({ name: Text.min(1) })), roleGroups: z.object(ROLE_GROUPS) }),
});

export const KubeKeyClusterSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('Cluster'),
  metadata: KubeKeyMetadata,
  spec: z.strictObject({
    hosts: z.array(Host).min(1),
    roleGroups: z.strictObject(ROLE_GROUPS),
    controlPlaneEndpoint: ControlPlaneEndpoint.optional(),
    system: System.optional(),
    etcd: Etcd.optional(),
    dns: Dns.optional(),
    kubernetes: KubeKeyKubernetes.optional(),
    network: KubeKeyNetwork.optional(),
    storage: z.strictObject({ openebs: z.strictObject({ basePath: Text.optional() }).optional() }).optional(),
    registry: Registry.optional(),
    addons: z.array(Addon).optional(),
    kubesphere: z
      .strictObject({ enabled: z.boolean().optional(), version: Text.optional(), configurations: Text.optional() })
      .optional(),
  }),
  status: z.unknown().optional(),
});

export type KubeKeyCluster = z.infer<typeof KubeKeyClusterSchema>;
export type KubeKeyHost = z.infer<typeof Host>;
