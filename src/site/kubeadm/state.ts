import type { NodeFacts } from './probe.ts';

/**
 * What is to be done with a host, from what is on it and what the cluster says:
 * `join`: nothing is there; `go-on`: deliver began and did not finish; `again`: deliver joined it, and the cluster forgot it;
 * `member`: it belongs to the cluster; `foreign`: somebody else’s traces, which deliver does not touch.
 */
export type NodeState = 'join' | 'go-on' | 'again' | 'member' | 'foreign';

export interface InCluster {
  /** The cluster has a node of that name. */
  readonly node: boolean;
  /** … with the role of a control plane. */
  readonly controlPlane: boolean;
}

/** The first control plane, before there is a cluster to ask. */
export function firstState(facts: NodeFacts): NodeState {
  if (facts.marker?.state === 'begun') return facts.marker.op === 'init' ? 'go-on' : 'again';
  if (!hasTraces(facts)) return 'join';
  if (facts.ready || facts.marker?.op !== undefined) return 'member';
  // A cluster of somebody’s whose API is down is no place to begin a new one.
  return 'foreign';
}

/** Any other host, asked of a cluster that answers. */
export function joinState(facts: NodeFacts, wanted: { readonly controlPlane: boolean }, cluster: InCluster): NodeState {
  const { marker } = facts;
  if (marker?.state === 'begun') return 'go-on';
  const joined =
    facts.files.includes('kubelet.conf') && (!wanted.controlPlane || facts.files.includes('manifests/kube-apiserver.yaml'));
  if (cluster.node && joined && (!wanted.controlPlane || cluster.controlPlane)) return 'member';
  if (!hasTraces(facts)) return 'join';
  return marker === undefined ? 'foreign' : 'again';
}

/** True when a kubelet or an API server was set up there. */
function hasTraces({ files }: NodeFacts): boolean {
  return files.some((file) => file !== 'etcd');
}
