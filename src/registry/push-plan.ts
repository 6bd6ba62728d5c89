import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { parseReference } from '../core/reference.ts';
import type { Lock } from '../lock/lock-schema.ts';
import {
  chartTag,
  digestTag,
  siteChartRepository,
  siteRepository,
  type SiteNaming,
  type SiteRepository,
} from './site-repository.ts';

export interface PushContent {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
}

/** One image, chart or referrer on its way to one repository and tag. */
export interface PushItem extends SiteRepository {
  readonly kind: 'image' | 'chart' | 'referrer';
  /** As the lock names it. */
  readonly name: string;
  /** Its digest, for a referrer that is found by its subject. */
  readonly tag: string;
  /** Manifest or index that the tag points to. */
  readonly root: PushContent;
  /** Manifests that must be there before the root. */
  readonly children: readonly PushContent[];
  /** Configs and layers, each once. */
  readonly blobs: readonly PushContent[];
  /** Of a referrer that names what it is about. */
  readonly subject?: Digest;
}

export interface PushPlan {
  readonly items: readonly PushItem[];
  /** Harbor projects that it needs, each once. */
  readonly projects: readonly string[];
}

/**
 * Where everything in a lock goes on site. Pure.
 * @throws DeliverError E_REFERENCE when two references would need one tag for different content
 */
export function planPush(lock: Pick<Lock, 'images' | 'charts'>, site: SiteNaming): PushPlan {
  const places = new Map<string, PushItem>();
  const take = (item: PushItem): void => {
    const place = `${item.repository}:${item.tag}`;
    const other = places.get(place);
    if (other !== undefined && other.root.digest !== item.root.digest) throw clash(place, other, item, site);
    if (other === undefined) places.set(place, item);
  };
  const images = lock.images.map((image) => ({ image, reference: parseReference(image.reference) }));
  const byTag = images.filter(({ reference }) => reference.digest === undefined);
  const byDigest = images.filter(({ reference }) => reference.digest !== undefined);
  // What is asked for by tag alone has the right to that tag; a reference with a digest only needs some tag to be kept alive by.
  for (const { image, reference } of [...byTag, ...byDigest]) {
    const where = siteRepository(reference, site);
    const wanted = reference.tag ?? digestTag(image.digest);
    const taken =
      reference.digest !== undefined &&
      (places.get(`${where.repository}:${wanted}`)?.root.digest ?? image.digest) !== image.digest;
    take({
      ...where,
      kind: 'image',
      name: image.reference,
      tag: taken ? digestTag(image.digest) : wanted,
      root: content(image),
      children: (image.manifests ?? []).map(content),
      blobs: image.blobs.map(content),
    });
  }
  for (const { image, reference } of images) {
    for (const referrer of image.referrers ?? []) {
      take({
        ...siteRepository(reference, site),
        kind: 'referrer',
        name: `${image.reference}, referrer ${referrer.tag ?? referrer.digest}`,
        tag: referrer.tag ?? referrer.digest,
        root: content(referrer),
        children: [],
        blobs: referrer.blobs.map(content),
        ...(referrer.tag === undefined ? { subject: referrer.subject } : {}),
      });
    }
  }
  for (const chart of lock.charts) {
    const where = siteChartRepository(chart.name, site);
    const blobs = chart.blobs.map(content);
    take({
      ...where,
      kind: 'chart',
      name: chart.reference,
      tag: chartTag(chart.version),
      root: content(chart),
      children: [],
      blobs,
    });
  }
  const items = [...places.values()];
  return { items, projects: [...new Set(items.map(({ project }) => project))] };
}

function content({ digest, size, mediaType }: PushContent): PushContent {
  return { digest, size, mediaType };
}

function clash(place: string, one: PushItem, other: PushItem, site: SiteNaming): DeliverError {
  return new DeliverError('E_REFERENCE', {
    what: `Two things in this release would both have to be ${site.registryHost}/${place}.`,
    why: `${one.name} (${one.root.digest}) and ${other.name} (${other.root.digest}) differ.`,
    fix: 'Give one of them another name or tag, or set registry.project in the site file.',
    state: 'Nothing was pushed.',
  });
}
