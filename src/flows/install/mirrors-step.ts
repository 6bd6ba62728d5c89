import type { Step } from '../../core/report.ts';
import { mirrorSummary, writeMirrors } from '../../site/mirrors/mirrors.ts';
import type { ReleaseSession } from '../release-session.ts';
import { siteMirrors } from '../site-mirrors.ts';
import type { SitePorts } from '../site-ports.ts';

/** The mirrors on the nodes of a cluster that is there already; its runtime is left as it is. */
export function mirrorsStep(session: () => ReleaseSession, ports: SitePorts): Step {
  return {
    id: 'mirrors',
    title: 'Mirrors',
    run: async (report, signal) => {
      const written = await writeMirrors(ports.hosts, await siteMirrors(session(), ports, true, signal), report, signal);
      return { summary: mirrorSummary(written), changed: written.reduce((sum, node) => sum + node.written, 0) };
    },
  };
}
