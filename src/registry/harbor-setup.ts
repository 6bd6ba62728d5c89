import type { HarborClient } from './harbor-client.ts';
import { immutableTags } from './harbor-immutable.ts';
import { keepPreheat } from './harbor-preheat.ts';
import { keepProject } from './harbor-projects.ts';
import { keepReplication } from './harbor-replication.ts';
import { renewPushRobot } from './harbor-robot.ts';
import { lastRuns } from './harbor-runs.ts';
import type { HarborSetup } from './port.ts';

/** What deliver keeps in a Harbor as the site file says, beside the content. */
export function harborSetup(client: HarborClient): HarborSetup {
  return {
    project: (name, wanted) => keepProject(client, name, wanted),
    immutableTags: (project) => immutableTags(client, project),
    replication: (wanted) => keepReplication(client, wanted),
    preheat: (wanted) => keepPreheat(client, wanted),
    lastRuns: (policies) => lastRuns(client, policies),
    renewPushRobot: (name, projects) => renewPushRobot(client, name, projects),
  };
}
