import { checkSite } from './check-site.ts';
import { loadDocument, type Loaded } from './manifest-document.ts';
import { SiteSchema, type Site } from './site-schema.ts';

/** A site file that was read and checked; its secrets are still names. */
export interface LoadedSite extends Loaded {
  readonly site: Site;
}

/**
 * Reads a site file and reports every problem of it at once.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA, E_GRAPH, E_NOT_YET
 */
export async function loadSite(path: string): Promise<LoadedSite> {
  const { value, ...loaded } = await loadDocument(path, { kind: 'Site', schema: SiteSchema, check: checkSite });
  return { ...loaded, site: value };
}
