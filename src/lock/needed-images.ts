import { canonicalReference, parseReference, type Reference } from '../core/reference.ts';
import type { App } from '../manifest/app-schema.ts';
import type { Release } from '../manifest/release-schema.ts';

/** An image and every place in the release that asks for it. */
export interface NeededImage {
  readonly reference: Reference;
  /** Key in the lock: host/repository:tag@digest. */
  readonly key: string;
  readonly neededBy: readonly string[];
}

/** An image and one place that asks for it. */
export interface ImagePlace {
  readonly image: string;
  readonly place: string;
}

/**
 * The images of a release whose versions are filled in, each once, in the order in which the release names them.
 * @param fromFiles what files of the release ask for, which the release itself does not say: kubeadm, manifests
 * @throws DeliverError E_REFERENCE
 */
export function neededImages(release: Release, fromFiles: readonly ImagePlace[] = []): readonly NeededImage[] {
  const places = [
    ...fromFiles,
    ...imagesOfComponents(release),
    ...(release.apps ?? []).flatMap(imagesOfApp),
    ...(release.images ?? []).map((image, index) => ({ image, place: `images[${index}]` })),
  ];
  const needed = new Map<string, NeededImage>();
  for (const { image, place } of places) {
    const reference = parseReference(image);
    const key = canonicalReference(reference);
    const known = needed.get(key);
    needed.set(key, { reference: known?.reference ?? reference, key, neededBy: [...(known?.neededBy ?? []), place] });
  }
  return [...needed.values()];
}

/** Programs that run as static pods: their component is an image. */
function imagesOfComponents({ kubernetes }: Release): ImagePlace[] {
  const { haproxy, 'kube-vip': kubeVip } = kubernetes?.components ?? {};
  return [
    ...(haproxy === undefined
      ? []
      : [{ image: `docker.io/library/haproxy:${haproxy.replace(/^v/, '')}`, place: 'kubernetes.components.haproxy' }]),
    ...(kubeVip === undefined
      ? []
      : [{ image: `ghcr.io/kube-vip/kube-vip:v${kubeVip.replace(/^v/, '')}`, place: 'kubernetes.components.kube-vip' }]),
  ];
}

function imagesOfApp(app: App): ImagePlace[] {
  const lists = ['initContainers', 'sidecars'] as const;
  return [
    { image: app.image, place: `app ${app.name}` },
    ...lists.flatMap((list) =>
      (app[list] ?? []).map(({ image }, index) => ({ image, place: `app ${app.name}, ${list}[${index}]` })),
    ),
  ];
}
