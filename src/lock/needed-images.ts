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

/**
 * The images of a release whose versions are filled in, each once, in the order in which the release names them.
 * @throws DeliverError E_REFERENCE
 */
export function neededImages(release: Release): readonly NeededImage[] {
  const places = [
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

function imagesOfApp(app: App): { image: string; place: string }[] {
  const lists = ['initContainers', 'sidecars'] as const;
  return [
    { image: app.image, place: `app ${app.name}` },
    ...lists.flatMap((list) =>
      (app[list] ?? []).map(({ image }, index) => ({ image, place: `app ${app.name}, ${list}[${index}]` })),
    ),
  ];
}
