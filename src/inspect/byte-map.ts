import type { Digest } from '../core/digest.ts';
import type { DeepImage, SharedBlob } from './deep-image.ts';

export type AreaKind = 'layer' | 'shared' | 'chart' | 'file' | 'rest';

/** One box of the map. */
export interface Area {
  readonly kind: AreaKind;
  readonly label: string;
  /** What a person wants to know beyond its name and size. */
  readonly notes: readonly string[];
  readonly size: number;
  /** All its bytes are in the earlier release too; absent when nothing is compared. */
  readonly known?: boolean;
}

export interface AreaGroup {
  readonly title: string;
  readonly size: number;
  /** Biggest first. */
  readonly areas: readonly Area[];
}

interface SizedItem {
  readonly digest: string;
  readonly size: number;
}

export interface ByteMapInput {
  readonly images: readonly DeepImage[];
  readonly shared: readonly SharedBlob[];
  readonly charts: readonly (SizedItem & { readonly name: string; readonly version: string })[];
  readonly files: readonly (SizedItem & { readonly name: string; readonly title: string })[];
  /** What an earlier release has. */
  readonly known?: ReadonlySet<string>;
}

/** Boxes of a group below this share of the whole become one, so that a map of thousands of layers stays a map. */
const SMALLEST_SHARE = 1 / 2000;

/** Where the bytes of a release are: each byte in one box, whatever shares it. Groups and boxes biggest first. */
export function byteMap({ images, shared, charts, files, known }: ByteMapInput): AreaGroup[] {
  const isShared = new Set<string>(shared.map(({ digest }) => digest));
  const age = (digest: string): { known?: boolean } => (known === undefined ? {} : { known: known.has(digest) });
  const single = (item: SizedItem): boolean => !isShared.has(item.digest);
  const groups = [
    ...images.map((image) => group(image.reference, imageAreas(image, isShared, age))),
    group(
      'Shared by several',
      shared.map(({ digest, size, users }) => ({
        kind: 'shared',
        label: shortDigest(digest),
        notes: users,
        size,
        ...age(digest),
      })),
    ),
    group(
      'Charts',
      charts.filter(single).map(({ name, version, digest, size }) => ({
        kind: 'chart' as const,
        label: `${name} ${version}`,
        notes: [],
        size,
        ...age(digest),
      })),
    ),
    group(
      'Files',
      files
        .filter(single)
        .map(({ name, title, digest, size }) => ({ kind: 'file' as const, label: name, notes: [title], size, ...age(digest) })),
    ),
  ].filter(({ size }) => size > 0);
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  return groups
    .map((one) => withoutCrumbs(one, total * SMALLEST_SHARE))
    .sort((a, b) => b.size - a.size || (a.title < b.title ? -1 : 1));
}

function imageAreas(image: DeepImage, isShared: ReadonlySet<string>, age: (digest: Digest) => { known?: boolean }): Area[] {
  const layers = new Map<Digest, Area>();
  for (const part of image.parts) {
    for (const [at, { digest, size, madeBy }] of part.layers.entries()) {
      if (isShared.has(digest) || layers.has(digest)) continue;
      const place = `layer ${String(at + 1)} of ${String(part.layers.length)}`;
      const label = image.parts.length > 1 && part.platform !== undefined ? `${place}, ${part.platform}` : place;
      layers.set(digest, {
        kind: 'layer',
        label,
        notes: [shortDigest(digest), ...(madeBy === undefined ? [] : [madeBy])],
        size,
        ...age(digest),
      });
    }
  }
  const rest = image.unique - [...layers.values()].reduce((sum, { size }) => sum + size, 0);
  const others: Area[] =
    rest > 0 ? [{ kind: 'rest', label: 'manifests, configs, attestations', notes: [], size: rest, ...age(image.digest) }] : [];
  return [...layers.values(), ...others];
}

function group(title: string, areas: readonly Area[]): AreaGroup {
  const sorted = [...areas].sort((a, b) => b.size - a.size || (a.label < b.label ? -1 : 1));
  return { title, size: areas.reduce((sum, { size }) => sum + size, 0), areas: sorted };
}

function withoutCrumbs({ title, size, areas }: AreaGroup, smallest: number): AreaGroup {
  const crumbs = areas.filter((area) => area.size < smallest);
  if (crumbs.length < 2) return { title, size, areas };
  const crumb: Area = {
    kind: 'rest',
    label: `${String(crumbs.length)} small ones`,
    notes: [],
    size: crumbs.reduce((sum, area) => sum + area.size, 0),
    ...(crumbs[0]?.known === undefined ? {} : { known: crumbs.every(({ known }) => known) }),
  };
  return { title, size, areas: [...areas.filter((area) => area.size >= smallest), crumb].sort((a, b) => b.size - a.size) };
}

/** Enough of a digest to tell it from the others on a page. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
