import { countText } from '../../core/amounts.ts';
import type { Report, Step, StepResult } from '../../core/report.ts';
import { applyHarbor } from '../../site/harbor/install.ts';
import { applyHosts } from '../../site/host/apply.ts';
import { outcomeChanges, refuseFailed } from '../../site/host/outcome.ts';
import { setUpHarbor } from './harbor-setup.ts';
import { awaitRegistry } from './registry-ready.ts';
import { planRegistry, type RegistryPlan } from '../plan/registry-plan.ts';
import type { ReleaseSession } from '../release-session.ts';
import { rememberCa } from './site-ca.ts';
import type { SitePorts } from '../site-ports.ts';

/** The site’s registry: installed where the site file asks for it, and its Harbor set up as the site file says. */
export function registryStep(session: () => ReleaseSession, ports: SitePorts): Step {
  return {
    id: 'registry',
    title: 'Registry host',
    run: async (report, signal) => {
      const plan = await planRegistry(session().bundle, ports, signal);
      const installed = plan === undefined ? undefined : await applyRegistry(plan, session(), ports, report, signal);
      const set = await setUpHarbor(session(), ports, report);
      const changed = (installed?.changed ?? 0) + set.length;
      const parts = [...(installed === undefined ? [] : [installed.summary]), ...set];
      return { summary: changed === 0 ? (installed?.summary ?? 'no change') : parts.join(' · '), changed };
    },
  };
}

/** Makes the registry host as planned, and waits until the registry answers. @throws DeliverError E_HOST, E_SSH*, E_REGISTRY*, E_HARBOR */
export async function applyRegistry(
  plan: RegistryPlan,
  { bundle }: Pick<ReleaseSession, 'bundle'>,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<StepResult> {
  const { settings, certificates, harbor, look } = plan;
  const outcomes = await applyHosts(ports.hosts, [look], bundle, report, signal);
  for (const { host, notes } of outcomes) for (const note of notes) report.note(`${host}: ${note}`);
  refuseFailed(outcomes);
  const changes = outcomeChanges(outcomes);
  await rememberCa(ports, certificates.ca);
  const made = harbor === undefined ? undefined : await applyHarbor(harbor.work, harbor.plan, bundle, report);
  await awaitRegistry(ports, signal);
  const changed = changes + (made === undefined ? 0 : 1);
  const until = `certificate until ${certificates.until.toISOString().slice(0, 10)}`;
  const parts = [
    ...(made === undefined ? [] : [`${made} on ${settings.on}`]),
    ...(certificates.change === undefined ? [] : [certificates.change]),
    ...(changes === 0 ? [] : [`${countText(changes, 'change')} on ${settings.on}`]),
  ];
  return { summary: changed === 0 ? `no change · ${until}` : [...parts, until].join(' · '), changed };
}
