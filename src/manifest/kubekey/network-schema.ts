import { z } from 'zod';

// KubeKey v1alpha2, cmd/kk/apis/kubekey/v1alpha2/network_types.go.

const Text = z.string();

export const KubeKeyNetwork = z.strictObject({
  plugin: Text.optional(),
  kubePodsCIDR: Text.optional(),
  kubeServiceCIDR: Text.optional(),
  calico: z
    .strictObject({
      ipipMode: Text.optional(),
      vxlanMode: Text.optional(),
      vethMTU: z.int().optional(),
      ipv4NatOutgoing: z.boolean().optional(),
      defaultIPPOOL: z.boolean().optional(),
      enableTypha: z.boolean().optional(),
    })
    .optional(),
  flannel: z.strictObject({ backendMode: Text.optional(), directRouting: z.boolean().optional() }).optional(),
  // Refused as a whole, so its many options need no names here.
  kubeovn: z.record(Text, z.unknown()).optional(),
  hybridnet: z.record(Text, z.unknown()).optional(),
  multusCNI: z.strictObject({ enabled: z.boolean().optional() }).optional(),
});
