import type { ReleaseGroup } from '../../apps/release-objects.ts';
import { waitHealthy } from '../../cluster/health.ts';
import { nodesReady, waitForNodes, waitForSiteNodes } from '../../cluster/nodes-ready.ts';
import type { ClusterApi, KubeRef } from '../../cluster/port.ts';
import { countText } from '../../core/amounts.ts';
import type { StepResult } from '../../core/report.ts';
import { applyGroup, type GroupOptions } from './apply-groups.ts';

/** Milliseconds for all add-ons together: on a new cluster they all pull at once. */
const TIMEOUT = 600_000;

export interface AddonOptions extends GroupOptions {
  /** Nodes that deliver itself keeps: each must be ready before the apps begin. */
  readonly nodes?: readonly string[];
}

/**
 * Applies the manifests that come before the apps. They are applied one after the other and awaited together, because on a new
 * cluster nothing gets ready before the pod network, wherever that stands; only `dependsOn` waits in between. Then all nodes of the
 * site must be ready: those just made, joined or upgraded.
 * @throws DeliverError E_APPLY, E_CONFLICT, E_IMAGE_PULL, E_NOT_READY, E_CLUSTER, E_CLUSTER_AUTH
 */
export async function applyAddons(groups: readonly ReleaseGroup[], api: ClusterApi, options: AddonOptions): Promise<StepResult> {
  const { nodes = [], report, signal } = options;
  const parts = groups.filter(({ manifests }) => manifests !== undefined);
  if (parts.length === 0) {
    await waitForSiteNodes(api, nodes, { report, signal, hasNetwork: false });
    return { summary: 'none in this release' };
  }
  const applied = new Map<string, readonly KubeRef[]>();
  let changed = 0;
  for (const group of groups) {
    const before = (group.manifests?.after ?? []).flatMap((name) => applied.get(name) ?? []);
    if (before.length > 0) await waitAll(before, networkOf(groups, applied), api, options);
    const done = await applyGroup(group, api, options);
    changed += done.changed;
    applied.set(group.title, done.refs);
  }
  const network = networkOf(groups, applied);
  await waitAll([...applied.values()].flat(), network, api, options);
  await waitForSiteNodes(api, nodes, { report, signal, hasNetwork: network.length > 0 });
  const names = parts.map(({ title }) => title).join(', ');
  return {
    summary: changed === 0 ? `no change; ${names} ready` : `${countText(changed, 'object')} applied; ${names} ready`,
    changed,
  };
}

function networkOf(groups: readonly ReleaseGroup[], applied: ReadonlyMap<string, readonly KubeRef[]>): readonly KubeRef[] {
  const network = groups.filter(({ manifests }) => manifests?.network === true);
  return network.flatMap(({ title }) => applied.get(title) ?? []).filter(({ kind }) => kind === 'DaemonSet');
}

/** On a cluster without a network yet pods can’t be scheduled, which is no fault of theirs: the network, then the nodes come first. */
async function waitAll(
  refs: readonly KubeRef[],
  network: readonly KubeRef[],
  api: ClusterApi,
  options: GroupOptions,
): Promise<void> {
  const { signal, report } = options;
  if (!(await nodesReady(api, signal))) {
    await waitHealthy(api, network, { report, signal, timeout: TIMEOUT });
    await waitForNodes(api, { report, signal, hasNetwork: network.length > 0 });
  }
  await waitHealthy(api, refs, { report, signal, timeout: TIMEOUT });
}
