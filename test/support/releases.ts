import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadRelease, type LoadedRelease } from '../../src/manifest/load-release.ts';
import { folderWith } from './files.ts';

/** The text of a small release manifest, with fields added or replaced. */
export function releaseText(fields: Readonly<Record<string, unknown>> = {}): string {
  return stringify({
    apiVersion: 'deliver/v1',
    kind: 'Release',
    metadata: { name: 'suite', version: '1.0.0' },
    platforms: ['linux/amd64'],
    ...fields,
  });
}

/** An app of a release, with fields added or replaced. */
export function app(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { name: 'web', namespace: 'project', kind: 'Deployment', image: 'example.org/web:1', ...fields };
}

/** A release manifest that was written to a folder of its own, with files beside it, and read. */
export async function loadedRelease(
  fields: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<LoadedRelease> {
  const folder = await folderWith({ ...files, 'suite.yaml': releaseText(fields) });
  return loadRelease(join(folder, 'suite.yaml'));
}
