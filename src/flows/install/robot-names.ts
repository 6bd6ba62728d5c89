import { createHash } from 'node:crypto';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** Harbor's rule for robot names (src/pkg/robot), which is also that of release names. */
const ROBOT_WORD = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** What a robot of deliver is for: pods pull, nodes pull, a run pushes. */
export type RobotDuty = 'pods' | 'nodes' | 'push';

const FIRST: Readonly<Record<RobotDuty, string>> = { pods: 'deliver', nodes: 'deliver-nodes', push: 'deliver-push' };

/**
 * One robot per duty, site and release, so that renewing it for one release does not lock another one out. A site's name has
 * no dot, so two pairs never make one name; one that Harbor would refuse (`a--b`) is named by its hash.
 */
export function robotName(duty: RobotDuty, session: Pick<ReleaseSession, 'release'>, ports: Pick<SitePorts, 'loaded'>): string {
  return `${beginning(duty, ports)}${session.release.metadata.name}`;
}

/** The name, without the prefix that Harbor gives robots, of one that any release of this site has for that duty. */
export function robotOfSite(duty: RobotDuty, username: string, ports: Pick<SitePorts, 'loaded'>): string | undefined {
  const at = username.indexOf(beginning(duty, ports));
  return at < 0 ? undefined : username.slice(at);
}

function beginning(duty: RobotDuty, { loaded }: Pick<SitePorts, 'loaded'>): string {
  const { name } = loaded.site.metadata;
  const site = ROBOT_WORD.test(name) ? name : `x${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
  return `${FIRST[duty]}.${site}.`;
}
