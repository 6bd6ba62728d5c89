import { z } from 'zod';

/** What a release may carry to build a site from, beside kubeadm, kubelet and kubectl of its Kubernetes version. */
export const COMPONENT_NAMES = [
  'containerd',
  'runc',
  'cni-plugins',
  'crictl',
  'helm',
  'etcd',
  'harbor',
  'docker',
  'docker-compose',
  'calicoctl',
  'registry',
  'coredns',
  'haproxy',
  'kube-vip',
] as const;

/** What comes with `kubernetes.version`. */
export const KUBERNETES_PROGRAMS = ['kubeadm', 'kubelet', 'kubectl'] as const;

export type ComponentName = (typeof COMPONENT_NAMES)[number];
export type ProgramName = ComponentName | (typeof KUBERNETES_PROGRAMS)[number];

const Version = z
  .string()
  .regex(/^v?\d[0-9A-Za-z.+-]*$/, 'must be a version like v1.7.1')
  .optional();
const Url = z
  .string()
  .min(1)
  .refine((url) => /^https?:\/\//.test(url), 'must be a URL with {version} and {arch} where they belong')
  .optional();

/** Component → version. */
export const ComponentVersionsSchema = z
  .strictObject(mapOf(COMPONENT_NAMES, Version))
  .describe('Programs that a site is made of; even {} makes the release carry Kubernetes');

/** Program → URL template. */
export const ComponentUrlsSchema = z
  .strictObject(mapOf([...KUBERNETES_PROGRAMS, ...COMPONENT_NAMES], Url))
  .describe('Program → URL template with {version}, {arch} and {os}');

function mapOf<const K extends string, V>(names: readonly K[], value: V): Record<K, V> {
  return Object.fromEntries(names.map((name) => [name, value])) as Record<K, V>;
}

export type ComponentVersions = z.infer<typeof ComponentVersionsSchema>;
