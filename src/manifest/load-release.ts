import { checkRelease } from './check-release.ts';
import { loadDocument, type Loaded } from './manifest-document.ts';
import { ReleaseSchema, type Release } from './release-schema.ts';

/** A release manifest that was read and checked; its variables are not filled in yet. */
export interface LoadedRelease extends Loaded {
  readonly release: Release;
}

/**
 * Reads a release manifest and reports every problem of it at once.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA, E_VARIABLE, E_REFERENCE, E_GRAPH, E_NOT_YET
 */
export async function loadRelease(path: string): Promise<LoadedRelease> {
  const { value, ...loaded } = await loadDocument(path, { kind: 'Release', schema: ReleaseSchema, check: checkRelease });
  return { ...loaded, release: value };
}
