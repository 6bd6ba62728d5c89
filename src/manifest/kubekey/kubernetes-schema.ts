import { z } from 'zod';

// KubeKey v1alpha2, cmd/kk/apis/kubekey/v1alpha2/kubernetes_types.go, and `imageRepo` of older releases.

const Texts = z.array(z.string());
const Switch = z.strictObject({ enabled: z.boolean().optional() }).optional();
const Free = z.record(z.string(), z.unknown()).optional();

export const KubeKeyKubernetes = z.strictObject({
  type: z.string().optional(),
  version: z.string().optional(),
  imageRepo: z.string().optional(),
  clusterName: z.string().optional(),
  dnsDomain: z.string().optional(),
  disableKubeProxy: z.boolean().optional(),
  masqueradeAll: z.boolean().optional(),
  maxPods: z.int().optional(),
  podPidsLimit: z.int().optional(),
  nodeCidrMaskSize: z.int().optional(),
  apiserverCertExtraSans: Texts.optional(),
  proxyMode: z.enum(['ipvs', 'iptables', 'nftables', '']).optional(),
  autoRenewCerts: z.boolean().optional(),
  etcdBackupDir: z.string().optional(),
  etcdBackupPeriod: z.int().optional(),
  keepBackupNumber: z.int().optional(),
  etcdBackupScript: z.string().optional(),
  nodelocaldns: z.boolean().optional(),
  containerManager: z.enum(['docker', 'containerd', 'crio', 'isula', '']).optional(),
  containerRuntimeEndpoint: z.string().optional(),
  nodeFeatureDiscovery: Switch,
  kata: Switch,
  audit: Switch,
  apiserverArgs: Texts.optional(),
  controllerManagerArgs: Texts.optional(),
  schedulerArgs: Texts.optional(),
  kubeletArgs: Texts.optional(),
  kubeProxyArgs: Texts.optional(),
  featureGates: z.record(z.string(), z.boolean()).optional(),
  kubeletConfiguration: Free,
  kubeProxyConfiguration: Free,
});

export type KubeKeyKubernetes = z.infer<typeof KubeKeyKubernetes>;
