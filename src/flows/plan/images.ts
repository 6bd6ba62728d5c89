import type { ImagesPlan, RegistryPlan } from './types.ts';
import type { ReleaseSession } from '../release-session.ts';
import { bytesToPull, hasNoRegistry, lookAtImages } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/** What a plan says of a registry that is not there and never will be. */
export const NO_REGISTRY_PLAN: RegistryPlan = {
  host: '',
  state: 'there',
  images: 0,
  imagesToPush: 0,
  bytesToPush: 0,
  projectsToMake: [],
};

/** What every node would be brought; undefined for a site with a registry. Changes nothing. @throws DeliverError E_SSH*, E_SUDO, E_HOST */
export async function planImages(
  session: ReleaseSession,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<ImagesPlan | undefined> {
  if (!hasNoRegistry(ports.loaded.site)) return undefined;
  const nodes = (await lookAtImages(session, ports, signal)).map(({ node, todo }) => ({
    node,
    pull: todo.pull.map(({ reference }) => reference),
    bytes: bytesToPull({ todo }),
    keep: todo.keep.map(({ reference }) => reference),
    letGo: todo.letGo,
  }));
  return { nodes, changes: nodes.reduce((sum, { pull, keep, letGo }) => sum + pull.length + keep.length + letGo.length, 0) };
}
