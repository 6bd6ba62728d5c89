import { gzipSync } from 'node:zlib';
import { tarMember, tarOf } from './tar-builder.ts';

/** A gzipped layer with these files; the content of a whiteout or a folder (a name that ends in `/`) is empty. */
export function layerOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const members = Object.entries(files).map(([name, content]) =>
    tarMember({ name, content: Buffer.from(content), ...(name.endsWith('/') ? { type: '5' } : {}) }),
  );
  return gzipSync(tarOf(members));
}

/** A Debian-like layer: two packages, one of them with a copyright file for machines. */
export function debianLayer(): Buffer {
  return layerOf({
    'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
    'var/lib/dpkg/status': [
      'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc (2.36-9)\nVersion: 2.36-9+deb12u9\n',
      'Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n',
      'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b7\nDescription: shell\n more\n',
    ].join('\n'),
    'usr/share/doc/bash/copyright': [
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: bash\n',
      'Files: *\nCopyright: FSF\nLicense: GPL-3+\n GPL text\n',
      'Files: doc/*\nLicense: GFDL-1.3\n',
      'License: GPL-3+\n the whole text\n',
    ].join('\n'),
    'usr/share/doc/libc6/copyright': 'This is prose. License: something\n',
  });
}

/** An Alpine-like layer of two packages. */
export function alpineLayer(): Buffer {
  return layerOf({
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.20.3\n',
    'lib/apk/db/installed':
      'C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld\n\nP:ssl_client\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only AND MIT\no:busybox\n\n',
  });
}
