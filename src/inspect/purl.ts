import { hexOf, type Digest } from '../core/digest.ts';
import { parseReference } from '../core/reference.ts';
import type { Distribution, PackageEntry } from './package-entry.ts';

/** `pkg:oci/busybox@sha256%3A…?arch=amd64&repository_url=docker.io/library/busybox&tag=1.36` (purl-spec, types/oci). */
export function imagePurl(reference: string, digest: Digest, platform?: string): string {
  const { host, repository, tag } = parseReference(reference);
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const version = encodeURIComponent(`sha256:${hexOf(digest)}`);
  return `pkg:oci/${encoded(name)}@${version}${qualifiers({
    arch: platform?.split('/')[1],
    repository_url: `${host}/${repository}`,
    tag,
  })}`;
}

/** `pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12`. */
export function packagePurl(entry: PackageEntry, distribution: Distribution | undefined): string {
  const namespace = distribution?.id ?? (entry.type === 'apk' ? 'alpine' : 'debian');
  const distro = distribution?.version === undefined ? undefined : `${distribution.id}-${distribution.version}`;
  const name = encoded(entry.name.toLowerCase());
  const marks = { arch: entry.architecture === '' ? undefined : entry.architecture, distro, upstream: entry.source };
  return `pkg:${entry.type}/${encoded(namespace)}/${name}@${encoded(entry.version)}${qualifiers(marks)}`;
}

function qualifiers(fields: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(fields)
    .filter((field): field is [string, string] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encoded(value).replaceAll('%2F', '/')}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** As purl-spec asks: percent-encoded, but the colon stays. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%3A', ':');
}
