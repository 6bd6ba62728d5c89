import { planObjects, type ObjectPlan } from '../../cluster/apply.ts';
import type { Report } from '../../core/report.ts';
import { definitionsOf, groupsOf, outputsFor } from '../install/release-groups.ts';
import type { ReleaseSession } from '../release-session.ts';
import { findPullAccount } from '../install/pull-account.ts';
import type { SitePorts } from '../site-ports.ts';

/** What applying the release would change, by server-side dry run; nothing is changed. */
export async function planRelease(
  session: ReleaseSession,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<ObjectPlan[]> {
  const api = await ports.cluster();
  const pull = await findPullAccount(session, ports, signal);
  const groups = await groupsOf(session, ports, pull?.account, signal);
  const definitions = definitionsOf(groups);
  const plans: ObjectPlan[] = [];
  for (const [at, group] of groups.entries()) {
    report.progress({ done: at, total: groups.length, unit: 'items', detail: group.title });
    const objects = group.render(await outputsFor(group, api, true, signal));
    plans.push(...(await planObjects(api, objects, { definitions, adopt: group.adopt === true, signal })));
  }
  return plans;
}
