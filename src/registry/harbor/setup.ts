import { WouldWrite, type HarborClient } from './client.ts';
import { keepImmutableTags } from './immutable.ts';
import { keepPreheat } from './preheat.ts';
import { keepProject } from './projects.ts';
import { keepReplication } from './replication.ts';
import { lastRuns } from './runs.ts';
import type { HarborSetup } from '../port.ts';

/** What deliver keeps in a Harbor as the site file says, beside the content. */
export function harborSetup(client: HarborClient): HarborSetup {
  return {
    project: (name, wanted) => keepProject(client, name, wanted),
    immutableTags: (project, wanted) => keepImmutableTags(client, project, wanted),
    replication: (wanted) => keepReplication(client, wanted),
    preheat: (wanted) => keepPreheat(client, wanted),
    lastRuns: (policies) => lastRuns(client, policies),
  };
}

/** The same, for a plan: true for what would be changed, and nothing is. */
export function harborLook(client: HarborClient): HarborSetup {
  const setup = harborSetup(client.looking());
  return {
    project: (name, wanted) => wouldChange(setup.project(name, wanted)),
    immutableTags: (project, wanted) => wouldChange(setup.immutableTags(project, wanted)),
    replication: (wanted) => wouldChange(setup.replication(wanted)),
    preheat: (wanted) => wouldChange(setup.preheat(wanted)),
    lastRuns: (policies) => setup.lastRuns(policies),
  };
}

async function wouldChange(work: Promise<boolean>): Promise<boolean> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof WouldWrite) return true;
    throw error;
  }
}
