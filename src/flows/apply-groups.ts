import type { ReleaseGroup } from '../apps/release-objects.ts';
import { applyObjects } from '../cluster/apply.ts';
import { waitHealthy } from '../cluster/health.ts';
import type { ClusterApi, KubeRef } from '../cluster/port.ts';
import { refOf } from '../cluster/refs.ts';
import { countText } from '../core/amounts.ts';
import type { Report, StepResult } from '../core/report.ts';
import { outputsFor } from './release-groups.ts';

/** Applies groups one after the other; writes only what differs. */
export async function applyGroups(
  groups: readonly ReleaseGroup[],
  api: ClusterApi,
  report: Report,
  signal: AbortSignal,
): Promise<StepResult> {
  let changed = 0;
  for (const group of groups) changed += (await applyGroup(group, api, report, signal)).changed;
  return { summary: changed === 0 ? 'no change' : `${countText(changed, 'object')} applied`, changed };
}

/** Applies apps in their order and waits for each before the next, so that an app finds what it depends on. */
export async function applyApps(
  groups: readonly ReleaseGroup[],
  api: ClusterApi,
  report: Report,
  signal: AbortSignal,
): Promise<StepResult> {
  let changed = 0;
  for (const group of groups) {
    const applied = await applyGroup(group, api, report, signal);
    changed += applied.changed;
    await waitHealthy(api, applied.refs, { report, signal });
  }
  if (groups.length === 0) return { summary: 'none in this release', changed };
  const ready = groups.map(({ title }) => title).join(', ');
  return { summary: changed === 0 ? `no change; ${ready} ready` : `${ready} ready`, changed };
}

async function applyGroup(
  group: ReleaseGroup,
  api: ClusterApi,
  report: Report,
  signal: AbortSignal,
): Promise<{ readonly changed: number; readonly refs: readonly KubeRef[] }> {
  const objects = group.render(await outputsFor(group, api, false, signal));
  const done = await applyObjects(api, objects, { report, signal });
  return { changed: done.filter(({ action }) => action !== 'same').length, refs: objects.map(refOf) };
}

/** Every object that the release has; values that are not known yet do not change which there are. */
export async function inventoryOf(
  groups: readonly ReleaseGroup[],
  api: ClusterApi,
  signal: AbortSignal,
): Promise<readonly KubeRef[]> {
  const refs: KubeRef[] = [];
  for (const group of groups) refs.push(...group.render(await outputsFor(group, api, true, signal)).map(refOf));
  return refs;
}
