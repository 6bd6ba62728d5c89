import { parseApk } from './apk.ts';
import { parseCopyright, parseDpkg } from './dpkg.ts';
import { parseOsRelease } from './os-release.ts';
import type { MemberContent } from './layer-members.ts';
import type { Distribution, PackageEntry } from './package-entry.ts';
import { ownText, stanzasOf } from './stanzas.ts';

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
  readonly read: (content: MemberContent, found: RegExpExecArray) => Promise<Fact>;
}

const MIB = 1024 * 1024;
/** Packages of one database; all of Debian are some 60,000, and no image has a tenth of that. */
const MOST_PACKAGES = 50_000;
const RPM = /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/;

const PLACES: readonly Place[] = [
  { pattern: /^var\/lib\/dpkg\/status$/, limit: 64 * MIB, read: databaseOf(parseDpkg) },
  { pattern: /^var\/lib\/dpkg\/status\.d\/(?!.*\.md5sums$)[^/]+$/, limit: MIB, read: databaseOf(parseDpkg) },
  { pattern: /^(?:usr\/)?lib\/apk\/db\/installed$/, limit: 64 * MIB, read: databaseOf(parseApk) },
  {
    pattern: /^usr\/share\/doc\/([^/]+)\/copyright$/,
    limit: 4 * MIB,
    read: async (content, [, name = '']) => ({
      kind: 'licences',
      package: ownText(name),
      licences: parseCopyright(await content.bytes()),
    }),
  },
  {
    pattern: /^(?:etc|usr\/lib)\/os-release$/,
    limit: 64 * 1024,
    read: async (content) => ({ kind: 'distribution', distribution: parseOsRelease((await content.bytes()).toString('utf8')) }),
  },
  { pattern: RPM, read: async () => ({ kind: 'rpm' }) },
];

/** Paragraph by paragraph: a database is never in memory as a whole. */
function databaseOf(parse: (stanza: string) => PackageEntry | undefined): Place['read'] {
  return async (content, [path]) => {
    const packages: PackageEntry[] = [];
    for await (const stanza of stanzasOf(content.pieces())) {
      const entry = parse(stanza);
      if (entry !== undefined) packages.push(entry);
      if (packages.length > MOST_PACKAGES)
        return { kind: 'unread', why: `${path} has more than ${String(MOST_PACKAGES)} packages` };
    }
    return { kind: 'packages', packages };
  };
}

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
export async function factOf(path: string, content: MemberContent): Promise<Fact | undefined> {
  for (const { pattern, limit, read } of PLACES) {
    const found = pattern.exec(path);
    if (found === null) continue;
    if (limit === undefined || content.size <= limit) return read(content, found);
    return { kind: 'unread', why: `${path} has ${String(content.size)} bytes; up to ${String(limit)} are read` };
  }
  return undefined;
}
