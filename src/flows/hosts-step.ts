import { countText } from '../core/amounts.ts';
import type { Report, Step, StepResult } from '../core/report.ts';
import { applyHosts, planHosts, type HostLook } from '../site/host-apply.ts';
import { outcomeChanges, outcomeSummary, refuseFailed } from '../site/host-outcome.ts';
import { changesOf } from '../site/host-plan.ts';
import type { HostWish } from '../site/host-wish.ts';
import { preparationWishes } from './host-wishes.ts';
import type { ReleaseSession } from './release-session.ts';
import type { SitePorts } from './site-ports.ts';

/** Hosts that are to become a cluster: kernel settings, swap, names, programs. Nothing where the site has its cluster already. */
export function hostsStep(session: () => ReleaseSession, ports: SitePorts): Step {
  return {
    id: 'hosts',
    title: 'Hosts',
    run: async (report, signal) => {
      const { bundle } = session();
      return wishHosts(preparationWishes(ports.loaded.site, bundle.lock), session(), ports, report, signal);
    },
  };
}

/**
 * Makes wishes true on their hosts, all at the same time; those that fail are named when the others are done.
 * @throws DeliverError E_HOST, E_SSH* …, naming every host with its state
 */
export async function wishHosts(
  wishes: readonly HostWish[],
  { bundle }: Pick<ReleaseSession, 'bundle'>,
  { hosts }: Pick<SitePorts, 'hosts'>,
  report: Report,
  signal: AbortSignal,
): Promise<StepResult> {
  if (wishes.length === 0) return { summary: 'nothing to do', changed: 0 };
  const outcomes = await applyHosts(hosts, await planHosts(hosts, wishes, signal), bundle, report, signal);
  for (const { host, notes } of outcomes) for (const note of notes) report.note(`${host}: ${note}`);
  refuseFailed(outcomes);
  return { summary: outcomeSummary(outcomes), changed: outcomeChanges(outcomes) };
}

/** What an install would do on each host, for the plan: `w1: containerd v1.7.28, swap off`. Read-only. */
export function hostPlanLines(looks: readonly HostLook[]): string[] {
  return looks.map((look) => {
    if ('error' in look) return `${look.host}: ${look.error.facts.what}`;
    const { plan, host } = look;
    if (plan.refused !== undefined) return `${host}: refused, ${plan.refused.facts.why ?? plan.refused.facts.what}`;
    const todo = plan.items.filter(({ done }) => !done).map(({ what }) => what);
    return `${host}: ${changesOf(plan) === 0 ? `no change (${countText(plan.items.length, 'thing')} as wanted)` : todo.join(', ')}`;
  });
}
