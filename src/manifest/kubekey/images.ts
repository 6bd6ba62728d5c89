import { DeliverError } from '../../core/errors.ts';
import { parseReference } from '../../core/reference.ts';
import type { Findings } from './findings.ts';
import type { KubeKeyManifest } from './manifest-schema.ts';

/** Images of kubeadm that have Kubernetes' own version as their tag. */
const KUBERNETES = new Set(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy']);

/** Load balancers of the control plane: with deliver a component says which. */
const BALANCERS = ['haproxy', 'kube-vip'] as const;

/** haproxy and kube-vip as the list of images has them. */
export function balancersIn({ spec }: KubeKeyManifest, findings: Findings): Partial<Record<(typeof BALANCERS)[number], string>> {
  const found: Partial<Record<(typeof BALANCERS)[number], string>> = {};
  (spec.images ?? []).forEach((image, index) => {
    const reference = parsed(image);
    const name = BALANCERS.find((balancer) => reference?.repository.split('/').at(-1) === balancer);
    if (name === undefined || reference?.tag === undefined || found[name] !== undefined) return;
    found[name] = reference.tag;
    findings.note(['spec', 'images', index], `also makes ${name} ${reference.tag} a component: it is what the nodes run`);
  });
  return found;
}

/** Says which images of the list can't be what was meant: those of another Kubernetes, and those that kubeadm never asks for. */
export function noteImages({ spec }: KubeKeyManifest, findings: Findings): void {
  const version = spec.kubernetesDistributions?.[0]?.version;
  (spec.images ?? []).forEach((image, index) => {
    const reference = parsed(image);
    const name = reference?.repository.split('/').at(-1) ?? '';
    if (reference === undefined || version === undefined || !KUBERNETES.has(name)) return;
    const path = ['spec', 'images', index];
    if (reference.tag !== undefined && reference.tag !== version) {
      findings.note(path, `${name} ${reference.tag} does not fit Kubernetes ${version}; it is carried, but nothing will run it`);
    } else if (reference.host !== 'registry.k8s.io') {
      findings.note(path, `carried, but kubeadm runs registry.k8s.io/${name}:${version}, which comes along anyway`);
    }
  });
}

/** A reference that can't be read is reported with the others' problems. */
function parsed(image: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(image);
  } catch (error) {
    if (error instanceof DeliverError) return undefined;
    throw error;
  }
}
