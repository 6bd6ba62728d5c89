import type { Step } from '../../core/report.ts';
import { mirrorSummary, writeMirrors } from '../../site/mirrors/mirrors.ts';
import { runtimeWishes } from './host-wishes.ts';
import { wishHosts } from './hosts-step.ts';
import type { ReleaseSession } from '../release-session.ts';
import { siteMirrors } from '../site-mirrors.ts';
import type { SitePorts } from '../site-ports.ts';

/** containerd with what belongs to it on the nodes of a cluster that deliver makes, and the mirrors of every node. */
export function runtimeStep(session: () => ReleaseSession, ports: SitePorts): Step {
  return {
    id: 'runtime',
    title: 'Runtime',
    run: async (report, signal) => {
      const wishes = runtimeWishes(ports.loaded.site, session().bundle.lock);
      const runtime = await wishHosts(wishes, session(), ports, report, signal);
      const written = await writeMirrors(ports.hosts, await siteMirrors(session(), ports, true, signal), report, signal);
      const files = written.reduce((sum, node) => sum + node.written, 0);
      const summary = [...(wishes.length === 0 ? [] : [runtime.summary]), `mirrors: ${mirrorSummary(written)}`].join(' · ');
      const changed = (runtime.changed ?? 0) + files;
      return { summary: changed === 0 ? 'no change' : summary, changed };
    },
  };
}
