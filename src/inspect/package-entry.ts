/** One installed package, as a package database tells it. */
export interface PackageEntry {
  readonly type: 'deb' | 'apk';
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Source package, where it has another name. */
  readonly source?: string;
  /** As the database or the copyright file writes them; empty when nothing could be read by a machine. */
  readonly licences: readonly string[];
}

/** What distribution an image says it is (os-release). */
export interface Distribution {
  readonly id: string;
  readonly version?: string;
  readonly title?: string;
}

/** By name, then by version, so that the same packages are always in the same order. */
export function sortedPackages(packages: Iterable<PackageEntry>): PackageEntry[] {
  const key = ({ name, version, architecture }: PackageEntry): string => `${name}\0${version}\0${architecture}`;
  const unique = new Map([...packages].map((entry) => [`${entry.type}\0${key(entry)}`, entry]));
  return [...unique.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
