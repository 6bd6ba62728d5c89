import { parseApk } from './apk.ts';
import { parseCopyright, parseDpkg } from './dpkg.ts';
import { parseOsRelease } from './os-release.ts';
import type { Distribution, PackageEntry } from './package-entry.ts';

/** What one file of a layer tells about packages. */
export type Fact =
  | { readonly kind: 'packages'; readonly packages: readonly PackageEntry[] }
  | { readonly kind: 'licences'; readonly package: string; readonly licences: readonly string[] }
  | { readonly kind: 'distribution'; readonly distribution: Distribution | undefined }
  | { readonly kind: 'rpm' }
  /** A file that is there and was not read. */
  | { readonly kind: 'unread'; readonly why: string };

interface Place {
  readonly pattern: RegExp;
  /** Bytes of a file that is read; absent when its being there is all that counts. */
  readonly limit?: number;
  readonly read: (text: string, found: RegExpExecArray) => Fact;
}

const MIB = 1024 * 1024;
const RPM = /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/;
const packages = (entries: readonly PackageEntry[]): Fact => ({ kind: 'packages', packages: entries });

const PLACES: readonly Place[] = [
  { pattern: /^var\/lib\/dpkg\/status$/, limit: 64 * MIB, read: (text) => packages(parseDpkg(text)) },
  { pattern: /^var\/lib\/dpkg\/status\.d\/(?!.*\.md5sums$)[^/]+$/, limit: MIB, read: (text) => packages(parseDpkg(text)) },
  { pattern: /^(?:usr\/)?lib\/apk\/db\/installed$/, limit: 64 * MIB, read: (text) => packages(parseApk(text)) },
  {
    pattern: /^usr\/share\/doc\/([^/]+)\/copyright$/,
    limit: 8 * MIB,
    read: (text, [, name = '']) => ({ kind: 'licences', package: name, licences: parseCopyright(text) }),
  },
  {
    pattern: /^(?:etc|usr\/lib)\/os-release$/,
    limit: 64 * 1024,
    read: (text) => ({ kind: 'distribution', distribution: parseOsRelease(text) }),
  },
  { pattern: RPM, read: () => ({ kind: 'rpm' }) },
];

/** Folders in which any of that lies: what a layer does elsewhere does not matter here. */
const ROOTS = [
  'var/lib/dpkg',
  'lib/apk/db',
  'usr/lib/apk/db',
  'usr/share/doc',
  'etc/os-release',
  'usr/lib/os-release',
  'var/lib/rpm',
  'usr/lib/sysimage/rpm',
  'usr/share/rpm',
];

/** True when what happens to this path can hide a file that is read. */
export function matters(path: string): boolean {
  return path === '' || ROOTS.some((root) => `${root}/`.startsWith(`${path}/`) || path.startsWith(`${root}/`));
}

/** Undefined for a file that tells nothing. */
export async function factOf(
  path: string,
  size: number,
  content: (limit: number) => Promise<Buffer | undefined>,
): Promise<Fact | undefined> {
  for (const { pattern, limit, read } of PLACES) {
    const found = pattern.exec(path);
    if (found === null) continue;
    if (limit === undefined) return read('', found);
    const bytes = await content(limit);
    if (bytes === undefined) return { kind: 'unread', why: `${path} has ${String(size)} bytes; up to ${String(limit)} are read` };
    return read(bytes.toString('utf8'), found);
  }
  return undefined;
}
