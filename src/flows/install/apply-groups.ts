import type { ReleaseGroup } from '../../apps/release-objects.ts';
import { applyObjects } from '../../cluster/apply.ts';
import { waitHealthy } from '../../cluster/health.ts';
import type { ClusterApi, KubeObject, KubeRef } from '../../cluster/port.ts';
import type { RecordedRef } from '../../cluster/record.ts';
import { refOf } from '../../cluster/refs.ts';
import { countText } from '../../core/amounts.ts';
import type { Report, StepResult } from '../../core/report.ts';
import { outputsFor } from './release-groups.ts';

export interface GroupOptions {
  /** Definitions of custom kinds that the release brings. */
  readonly definitions?: readonly KubeObject[];
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Applies groups one after the other; writes only what differs. */
export async function applyGroups(
  groups: readonly ReleaseGroup[],
  api: ClusterApi,
  report: Report,
  signal: AbortSignal,
): Promise<StepResult> {
  let changed = 0;
  for (const group of groups) changed += (await applyGroup(group, api, { report, signal })).changed;
  return { summary: changed === 0 ? 'no change' : `${countText(changed, 'object')} applied`, changed };
}

/** Applies apps in their order and waits for each before the next, so that an app finds what it depends on. */
export async function applyApps(groups: readonly ReleaseGroup[], api: ClusterApi, options: GroupOptions): Promise<StepResult> {
  let changed = 0;
  for (const group of groups) {
    const applied = await applyGroup(group, api, options);
    changed += applied.changed;
    await waitHealthy(api, applied.refs, options);
  }
  if (groups.length === 0) return { summary: 'none in this release', changed };
  const ready = groups.map(({ title }) => title).join(', ');
  return { summary: changed === 0 ? `no change; ${ready} ready` : `${ready} ready`, changed };
}

/** Applies the objects of one group. */
export async function applyGroup(
  group: ReleaseGroup,
  api: ClusterApi,
  options: GroupOptions,
): Promise<{ readonly changed: number; readonly refs: readonly KubeRef[] }> {
  const objects = group.render(await outputsFor(group, api, false, options.signal));
  const done = await applyObjects(api, objects, { ...options, adopt: group.adopt === true });
  return { changed: done.filter(({ action }) => action !== 'same').length, refs: objects.map(refOf) };
}

/** Every object that the release has; values that are not known yet do not change which there are. */
export async function inventoryOf(
  groups: readonly ReleaseGroup[],
  api: ClusterApi,
  signal: AbortSignal,
): Promise<readonly RecordedRef[]> {
  const refs: RecordedRef[] = [];
  for (const group of groups) {
    const part = group.manifests === undefined ? {} : { part: group.title };
    refs.push(...group.render(await outputsFor(group, api, true, signal)).map((object) => ({ ...refOf(object), ...part })));
  }
  return refs;
}
