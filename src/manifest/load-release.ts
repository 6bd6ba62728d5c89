import { checkRelease } from './check-release.ts';
import { releaseOfManifest, type SourceAccount } from './kubekey/release.ts';
import { checkedValue, openDocument, type Loaded } from './manifest-document.ts';
import { ReleaseSchema, type Release } from './release-schema.ts';

/** A release manifest that was read and checked; its variables are not filled in yet. */
export interface LoadedRelease extends Loaded {
  readonly release: Release;
  /** What is to be said about a KubeKey Manifest. */
  readonly notes?: readonly string[];
  /** Accounts at registries of the connected side that a KubeKey Manifest names, by host. */
  readonly accounts?: ReadonlyMap<string, SourceAccount>;
}

/**
 * Reads a release manifest, ours or KubeKey's, and reports every problem of it at once.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA, E_VARIABLE, E_REFERENCE, E_GRAPH, E_NOT_YET
 */
export async function loadRelease(path: string): Promise<LoadedRelease> {
  const { raw, kubeKey, ...loaded } = await openDocument(path, 'Release');
  if (kubeKey !== undefined) return { ...loaded, ...releaseOfManifest(path, raw, loaded.positionOf) };
  return { ...loaded, release: checkedValue({ ...loaded, raw }, { schema: ReleaseSchema, check: checkRelease }) };
}
