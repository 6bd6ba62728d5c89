import type { Secret } from '../core/secret.ts';
import { checkSite } from './check-site.ts';
import { siteOfCluster } from './kubekey/site.ts';
import { checkedValue, openDocument, type Loaded } from './manifest-document.ts';
import { SiteSchema, type Site } from './site-schema.ts';

/** A site file that was read and checked; its secrets are still names. */
export interface LoadedSite extends Loaded {
  readonly site: Site;
  /** What is to be said about a KubeKey Cluster. */
  readonly notes?: readonly string[];
  /** Passwords that a KubeKey Cluster holds literally, by the names that `site` has for them. */
  readonly inlineSecrets?: ReadonlyMap<string, Secret>;
  /** The Kubernetes version that a KubeKey Cluster names. */
  readonly kubernetesVersion?: string;
}

/**
 * Reads a site file, ours or KubeKey's, and reports every problem of it at once.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA, E_GRAPH, E_NOT_YET
 */
export async function loadSite(path: string): Promise<LoadedSite> {
  const { raw, kubeKey, ...loaded } = await openDocument(path, 'Site');
  if (kubeKey !== undefined) return { ...loaded, ...siteOfCluster(path, raw, loaded.positionOf) };
  return { ...loaded, site: checkedValue({ ...loaded, raw }, { schema: SiteSchema, check: checkSite }) };
}
