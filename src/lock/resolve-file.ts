import { resolve } from 'node:path';
import { DeliverError } from '../core/errors.ts';
import type { FileSource } from '../store/port.ts';
import type { LockedFile } from './lock-schema.ts';
import type { NeededFile } from './needed-files.ts';

/** A location for a `FileSource`: URLs as they are, paths from the folder of the release. */
export function sourceLocation(folder: string, source: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : resolve(folder, source);
}

/**
 * One file by digest and size. A URL whose sha256 the release gives is not read again when an earlier lock knows it.
 * @throws DeliverError E_DIGEST when it is not what the release says, E_FILE_NOT_FOUND, E_SOURCE*
 */
export async function resolveFile(
  file: NeededFile,
  source: FileSource,
  options: { readonly folder: string; readonly previous?: LockedFile | undefined; readonly signal?: AbortSignal | undefined },
): Promise<LockedFile> {
  const expected = file.sha256 === undefined ? undefined : `sha256:${file.sha256}`;
  const { name, title } = file;
  const location = sourceLocation(options.folder, file.source);
  const { previous } = options;
  const isUrl = location === file.source && location.includes('://');
  if (isUrl && previous?.source === file.source && previous.digest === expected) return { ...previous, title };
  const { digest, size } = await source.measure(location, options.signal);
  if (expected !== undefined && digest !== expected) {
    throw new DeliverError('E_DIGEST', {
      what: `The file ${name} is not what the release says.`,
      why: `expected ${expected}, got ${digest}`,
    });
  }
  return { name, title, source: file.source, digest, size };
}
