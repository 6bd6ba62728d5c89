import { z } from 'zod';
import { StringMap } from '../fields.ts';

// KubeKey v1alpha2, cmd/kk/apis/kubekey/v1alpha2/manifest_types.go, and the components that `kk create manifest` writes.

export const KubeKeyMetadata = z.strictObject({
  name: z.string().min(1),
  namespace: z.string().optional(),
  labels: StringMap.optional(),
  annotations: StringMap.optional(),
  creationTimestamp: z.string().optional(),
});

/** One entry of `auths`, by registry host. */
export const KubeKeyAuth = z.strictObject({
  username: z.string().optional(),
  password: z.string().optional(),
  plainHTTP: z.boolean().optional(),
  skipTLSVerify: z.boolean().optional(),
  certsPath: z.string().optional(),
});

const Arch = z.enum(['amd64', 'arm64']);
const Versioned = z.strictObject({ version: z.string().min(1) });

const OperatingSystem = z.strictObject({
  arch: Arch,
  type: z.string().optional(),
  id: z.string(),
  version: z.string(),
  osImage: z.string().optional(),
  repository: z
    .strictObject({ iso: z.strictObject({ localPath: z.string().optional(), url: z.string().optional() }).optional() })
    .optional(),
});

const Components = z.strictObject({
  helm: Versioned.optional(),
  cni: Versioned.optional(),
  etcd: Versioned.optional(),
  containerRuntimes: z
    .array(z.strictObject({ type: z.enum(['docker', 'containerd', 'crio', 'isula']), version: z.string().min(1) }))
    .optional(),
  crictl: Versioned.optional(),
  'docker-registry': Versioned.optional(),
  harbor: Versioned.optional(),
  'docker-compose': Versioned.optional(),
  calicoctl: Versioned.optional(),
});

export const KubeKeyManifestSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('Manifest'),
  metadata: KubeKeyMetadata,
  spec: z.strictObject({
    arches: z.array(Arch).min(1),
    operatingSystems: z.array(OperatingSystem).optional(),
    kubernetesDistributions: z
      .array(z.strictObject({ type: z.enum(['kubernetes', 'k3s', 'k8e']), version: z.string().min(1) }))
      .optional(),
    components: Components.optional(),
    images: z.array(z.string()).optional(),
    registry: z.strictObject({ auths: z.record(z.string(), KubeKeyAuth).optional() }).optional(),
  }),
  status: z.unknown().optional(),
});

export type KubeKeyManifest = z.infer<typeof KubeKeyManifestSchema>;
export type KubeKeyAuth = z.infer<typeof KubeKeyAuth>;
