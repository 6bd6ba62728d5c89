import type { Lock } from '../../lock/lock-schema.ts';
import type { ComponentBlob } from '../host/wish.ts';
import type { CarriedComponent } from './wish.ts';

/** The components that a release carries, each with its blobs by platform. */
export function carriedComponents({ files }: Pick<Lock, 'files'>): CarriedComponent[] {
  const carried = new Map<string, { name: string; version: string; blobs: Map<string, ComponentBlob> }>();
  for (const { component, digest, size } of files) {
    if (component === undefined) continue;
    const { name, version, platform } = component;
    const known = carried.get(name) ?? { name, version, blobs: new Map<string, ComponentBlob>() };
    known.blobs.set(platform, { digest, size });
    carried.set(name, known);
  }
  return [...carried.values()].flatMap((one) => {
    const [blob] = one.blobs.values();
    return blob === undefined ? [] : [{ ...one, blob }];
  });
}

/** The sandbox image of kubeadm's list: containerd must pin the same, or it asks for one that nobody carried. */
export function sandboxImageOf({ images }: Pick<Lock, 'images'>): string | undefined {
  const pauses = images.filter(({ reference }) => /\/pause:[^/]+$/.test(reference));
  const ofKubernetes = pauses.find(({ neededBy }) => neededBy.some((by) => by.startsWith('kubernetes')));
  return (ofKubernetes ?? pauses[0])?.reference;
}
