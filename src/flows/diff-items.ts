import type { Digest } from '../core/digest.ts';
import { parseReference } from '../core/reference.ts';
import type { Lock } from '../lock/lock-schema.ts';

/** One image, chart or file of a release. */
export interface DiffItem {
  /** What stays the same from version to version: a repository, a chart's or a file's name. */
  readonly name: string;
  /** Tag, or the digest where there is none; a version of a chart or a component; of another file nothing. */
  readonly version?: string;
  readonly digest: Digest;
  readonly parts: readonly { readonly digest: Digest; readonly size: number }[];
  /** What refers to an image. */
  readonly referrers?: readonly Digest[];
}

/** One thing that differs. `carry`: bytes of it that the first release does not bring, each item by itself. */
export interface ItemChange {
  readonly change: 'added' | 'removed' | 'changed';
  readonly name: string;
  readonly before?: { readonly version?: string; readonly digest: string };
  readonly after?: { readonly version?: string; readonly digest: string };
  readonly carry: number;
  /** How many of the things that refer to an image came and went, where they differ. */
  readonly referrers?: { readonly added: number; readonly removed: number };
}

export function imageItems({ images }: Lock): readonly DiffItem[] {
  return images.map((image) => {
    const { host, repository, tag, digest } = parseReference(image.reference);
    const { referrers = [], manifests = [] } = image;
    const about = referrers.flatMap((referrer) => [referrer, ...referrer.blobs]);
    const parts: DiffItem['parts'] = [image, ...manifests, ...image.blobs, ...about];
    const version = tag ?? digest ?? image.digest;
    return { name: `${host}/${repository}`, version, digest: image.digest, parts, referrers: referrers.map((one) => one.digest) };
  });
}

export function chartItems({ charts }: Lock): readonly DiffItem[] {
  return charts.map((chart) => ({
    name: chart.name,
    version: chart.version,
    digest: chart.digest,
    parts: [chart, ...chart.blobs],
  }));
}

export function fileItems({ files }: Lock): readonly DiffItem[] {
  return files.map(({ name, digest, size, component }) => ({
    name,
    ...(component === undefined ? {} : { version: component.version }),
    digest,
    parts: [{ digest, size }],
  }));
}

/**
 * What became of each item. The same name and version is one thing; else one that went and one that came of the same
 * name are a change of version, and where there are more of a name each stands for itself.
 */
export function pairItems(
  before: readonly DiffItem[],
  after: readonly DiffItem[],
  isCarried: (digest: Digest) => boolean,
): { readonly changes: readonly ItemChange[]; readonly unchanged: number } {
  const was = new Map(before.map((item) => [keyOf(item), item]));
  const is = new Map(after.map((item) => [keyOf(item), item]));
  const gone = before.filter((item) => !is.has(keyOf(item)));
  const come = after.filter((item) => !was.has(keyOf(item)));
  const carry = ({ parts }: DiffItem): number =>
    [...new Map(parts.map((part) => [part.digest, part.size]))].reduce(
      (sum, [digest, size]) => sum + (isCarried(digest) ? size : 0),
      0,
    );
  const changed = (from: DiffItem, to: DiffItem): ItemChange => ({
    change: 'changed',
    name: to.name,
    before: sideOf(from),
    after: sideOf(to),
    carry: carry(to),
    ...otherReferrers(from, to),
  });
  const partnerOf = (item: DiffItem, others: readonly DiffItem[], own: readonly DiffItem[]): DiffItem | undefined => {
    const [partner, more] = others.filter(({ name }) => name === item.name);
    return more === undefined && own.filter(({ name }) => name === item.name).length === 1 ? partner : undefined;
  };
  const kept = after.flatMap((item) => {
    const from = was.get(keyOf(item));
    return from === undefined ? [] : [{ from, item }];
  });
  const changes = [
    ...kept.filter(({ from, item }) => !isSame(from, item)).map(({ from, item }) => changed(from, item)),
    ...come.map((item): ItemChange => {
      const from = partnerOf(item, gone, come);
      return from === undefined
        ? { change: 'added', name: item.name, after: sideOf(item), carry: carry(item) }
        : changed(from, item);
    }),
    ...gone
      .filter((item) => partnerOf(item, come, gone) === undefined)
      .map((item): ItemChange => ({ change: 'removed', name: item.name, before: sideOf(item), carry: 0 })),
  ];
  return {
    changes: changes.sort((a, b) => compare(a.name, b.name) || compare(a.change, b.change)),
    unchanged: kept.filter(({ from, item }) => isSame(from, item)).length,
  };
}

/** A signature that was added makes another release, though the image did not move. */
function isSame(from: DiffItem, to: DiffItem): boolean {
  return from.digest === to.digest && otherReferrers(from, to).referrers === undefined;
}

function otherReferrers({ referrers: was = [] }: DiffItem, { referrers: is = [] }: DiffItem): Pick<ItemChange, 'referrers'> {
  const added = is.filter((digest) => !was.includes(digest)).length;
  const removed = was.filter((digest) => !is.includes(digest)).length;
  return added + removed === 0 ? {} : { referrers: { added, removed } };
}

function keyOf({ name, version }: DiffItem): string {
  return `${name} ${version ?? ''}`;
}

function sideOf({ version, digest }: DiffItem): { readonly version?: string; readonly digest: string } {
  return { ...(version === undefined ? {} : { version }), digest };
}

/** By code points, so that no locale gets into what is printed. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
