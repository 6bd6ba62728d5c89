import type { Report, Step, StepResult } from '../../core/report.ts';
import { applyHosts, planHosts } from '../../site/host/apply.ts';
import { outcomeChanges, outcomeSummary, refuseFailed } from '../../site/host/outcome.ts';
import type { HostWish } from '../../site/host/wish.ts';
import { preparationWishes } from './host-wishes.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

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
