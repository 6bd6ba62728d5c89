import type { Fact } from './layer-facts.ts';
import { sortedPackages, type Distribution, type PackageEntry } from './package-entry.ts';
import type { LayerFacts } from './read-layer.ts';

/** What the layers of one image tell together. */
export interface PackageFacts {
  readonly packages: readonly PackageEntry[];
  readonly distribution?: Distribution;
  /** What was not analysed, and why. */
  readonly notes: readonly string[];
}

/** Lays layers over each other, lowest first, as a container runtime does (OCI image-spec layer.md, “Whiteouts”). */
export function mergeLayers(layers: readonly LayerFacts[]): PackageFacts {
  const files = new Map<string, Fact>();
  for (const { facts, removed, opaque } of layers) {
    const [gone, hidden] = [new Set(removed), new Set(opaque)];
    for (const path of files.keys()) {
      if (gone.has(path) || isBelow(path, gone) || isBelow(path, hidden)) files.delete(path);
    }
    for (const [path, fact] of facts) files.set(path, fact);
  }
  return factsOf(files);
}

function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    if (folders.has(path.slice(0, slash))) return true;
  }
  return folders.has('');
}

function factsOf(files: ReadonlyMap<string, Fact>): PackageFacts {
  const facts = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
  const licences = new Map(facts.flatMap((fact) => (fact.kind === 'licences' ? [[fact.package, fact.licences] as const] : [])));
  const packages = facts.flatMap((fact) => (fact.kind === 'packages' ? fact.packages : []));
  // etc/ comes before usr/lib/, which it is mostly a link to.
  const distribution = facts.find((fact) => fact.kind === 'distribution')?.distribution;
  const notes = [
    ...(facts.some(({ kind }) => kind === 'rpm') ? ['has an rpm database, which is not analysed'] : []),
    ...facts.flatMap((fact) => (fact.kind === 'unread' ? [fact.why] : [])),
  ];
  return {
    packages: sortedPackages(packages.map((entry) => (entry.type === 'deb' ? withLicences(entry, licences) : entry))),
    ...(distribution === undefined ? {} : { distribution }),
    notes,
  };
}

function withLicences(entry: PackageEntry, licences: ReadonlyMap<string, readonly string[]>): PackageEntry {
  return { ...entry, licences: licences.get(entry.name) ?? [] };
}
