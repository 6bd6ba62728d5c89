import { readFile } from 'node:fs/promises';
import { digestOf } from '../../src/core/digest.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { Lock } from '../../src/lock/lock-schema.ts';
import { manifestFileName } from '../../src/lock/app-file-name.ts';
import type { Release } from '../../src/manifest/release-schema.ts';

/** Manifest files as a bundle has them: by path in the release, in the order of `manifests:`. */
export function manifestSession(
  release: Release,
  files: Readonly<Record<string, string>>,
): {
  release: Release;
  bundle: { lock: Lock; bytes: (digest: Digest) => Promise<Uint8Array> };
} {
  const entries = Object.entries(files).map(([source, text], index) => {
    const bytes = Buffer.from(text);
    return { name: manifestFileName(index, source), title: source, source, digest: digestOf(bytes), size: bytes.length, bytes };
  });
  const lock: Lock = {
    apiVersion: 'deliver/v1',
    kind: 'Lock',
    metadata: release.metadata,
    platforms: release.platforms,
    release,
    images: [],
    charts: [],
    files: entries.map(({ bytes: _bytes, ...file }) => file),
  } as unknown as Lock;
  return {
    release,
    bundle: {
      lock,
      bytes: (digest) => {
        const found = entries.find((entry) => entry.digest === digest);
        return found === undefined ? Promise.reject(new Error(`no blob ${digest}`)) : Promise.resolve(found.bytes);
      },
    },
  };
}

/** One of manifests/addons. */
export function addon(name: string): Promise<string> {
  return readFile(new URL(`../../manifests/addons/${name}.yaml`, import.meta.url), 'utf8');
}
