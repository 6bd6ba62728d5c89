import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPayload } from '../../../src/inspect/attestation-payload.ts';
import { parseApk } from '../../../src/inspect/apk.ts';
import { parseCopyright, parseDpkg } from '../../../src/inspect/dpkg.ts';
import { licenceChoice } from '../../../src/inspect/licence-choice.ts';
import { parseOsRelease } from '../../../src/inspect/os-release.ts';
import { imagePurl, packagePurl } from '../../../src/inspect/purl.ts';
import { digestOf } from '../../../src/core/digest.ts';

describe('dpkg', () => {
  it('lists what is installed, not what was removed, and a status.d file as it is', () => {
    expect(parseDpkg('Package: a\nStatus: deinstall ok config-files\nVersion: 1\n')).toBeUndefined();
    expect(parseDpkg('Package: b\nStatus: install ok installed\nVersion: 2\n')?.name).toBe('b');
    expect(parseDpkg('Package: base-files\nVersion: 12.4\nArchitecture: amd64\nSource: bf (1)')).toEqual({
      type: 'deb',
      name: 'base-files',
      version: '12.4',
      architecture: 'amd64',
      source: 'bf',
      licences: [],
    });
  });

  it('names licences of a copyright file for machines only', () => {
    expect(
      parseCopyright(
        Buffer.from('Format: https://x/copyright-format/1.0/\n\nFiles: *\nLicense: MIT\n text\n\nLicense: Foo\n text'),
      ),
    ).toEqual(['MIT']);
    expect(parseCopyright(Buffer.from('Files: *\nLicense: MIT\n'))).toEqual([]);
    expect(parseCopyright(Buffer.from('Prose about a copyright-format.\n\nFiles: *\nLicense: MIT\n'))).toEqual([]);
  });
});

it('reads the database of apk', () => {
  expect(parseApk('P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nP:no\n')).toEqual({
    type: 'apk',
    name: 'musl',
    version: '1.2.5-r0',
    architecture: 'x86_64',
    licences: ['MIT'],
  });
  expect(parseApk('V:1')).toBeUndefined();
});

it('takes any text without failing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      for (const parse of [parseApk, parseDpkg, parseOsRelease]) parse(text);
      parseCopyright(Buffer.from(text));
      readPayload(Buffer.from(text));
    }),
    { seed: 4 },
  );
});

it('reads os-release with and without quotes', () => {
  expect(parseOsRelease('NAME=x\nID="rocky"\nVERSION_ID=9.4\n')).toEqual({ id: 'rocky', version: '9.4' });
  expect(parseOsRelease('ID=<b>')).toBeUndefined();
});

it('writes package URLs as purl-spec asks', () => {
  const debian = { id: 'debian', version: '12' };
  const entry = { type: 'deb', name: 'libstdc++6', version: '1:12.2-14', architecture: 'amd64', licences: [] } as const;
  expect(packagePurl(entry, debian)).toBe('pkg:deb/debian/libstdc%2B%2B6@1:12.2-14?arch=amd64&distro=debian-12');
  expect(imagePurl('docker.io/library/busybox:1.36', digestOf('x'), 'linux/arm64/v8')).toMatch(
    /^pkg:oci\/busybox@sha256%3A[0-9a-f]{64}\?arch=arm64&repository_url=docker\.io\/library\/busybox&tag=1\.36$/,
  );
});

it('claims an SPDX identifier only where it is one', () => {
  expect(licenceChoice([])).toBeUndefined();
  expect(licenceChoice(['GPL-2+', 'MIT'])).toEqual([{ license: { name: 'GPL-2+' } }, { license: { id: 'MIT' } }]);
  expect(licenceChoice(['(MIT OR Zlib) AND ISC'])).toEqual([{ expression: '(MIT OR Zlib) AND ISC' }]);
  expect(licenceChoice(['MIT AND custom'])).toEqual([{ license: { name: 'MIT AND custom' } }]);
});
