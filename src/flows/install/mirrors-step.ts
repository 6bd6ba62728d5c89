import type { Step } from '../../core/report.ts';
import { mirrorSummary, writeMirrors } from '../../site/mirrors/mirrors.ts';
import type { ReleaseSession } from '../release-session.ts';
import { siteMirrors } from '../site-mirrors.ts';
import type { SitePorts } from '../site-ports.ts';

/** The mirrors on every node. They trust the CA that the registry step made, so they come after it. */
export function mirrorsStep(session: () => ReleaseSession, ports: SitePorts): Step {
  return {
    id: 'mirrors',
    title: 'Mirrors',
    run: async (report, signal) => {
      const written = await writeMirrors(ports.hosts, await siteMirrors(session(), ports, true, signal), report, signal);
      // A runtime that was only told to read its files is not as before, either.
      const changed = written.reduce((sum, node) => sum + (node.written === 0 && node.reloaded === true ? 1 : node.written), 0);
      return { summary: mirrorSummary(written), changed };
    },
  };
}
