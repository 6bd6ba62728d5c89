import type { Step } from '../../core/report.ts';
import { runtimeWishes } from './host-wishes.ts';
import { wishHosts } from './hosts-step.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** containerd with what belongs to it on the nodes of a cluster that deliver makes. */
export function runtimeStep(session: () => ReleaseSession, ports: SitePorts): Step {
  return {
    id: 'runtime',
    title: 'Runtime',
    run: async (report, signal) =>
      wishHosts(runtimeWishes(ports.loaded.site, session().bundle.lock), session(), ports, report, signal),
  };
}
