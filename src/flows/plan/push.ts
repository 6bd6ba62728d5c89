import { isReference } from '../../registry/push-referrers.ts';
import type { RegistryPlan } from './types.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { Preflight } from '../preflight/site.ts';
import type { SitePorts } from '../site-ports.ts';

/** What a push would send. A registry that the same install makes lacks everything. */
export function planPushed(
  session: ReleaseSession,
  { need }: Pick<Preflight, 'need'>,
  { loaded }: Pick<SitePorts, 'loaded'>,
): Omit<RegistryPlan, 'pushAs' | 'setUp'> {
  const host = session.naming.registryHost;
  if (need !== undefined) {
    const missing = need.items.filter(isReference).length;
    return {
      host,
      state: 'there',
      images: need.present.filter(isReference).length + missing,
      imagesToPush: missing,
      bytesToPush: need.bytes,
      projectsToMake: need.projectsToMake,
    };
  }
  const { items, projects } = session.push;
  const images = items.filter(isReference).length;
  const sizes = new Map(items.flatMap(({ blobs }) => blobs.map(({ digest, size }) => [digest, size] as const)));
  return {
    host,
    state: 'to-be-made',
    images,
    imagesToPush: images,
    bytesToPush: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    // Only Harbor has projects.
    projectsToMake: loaded.site.registry?.install?.kind === 'harbor' ? projects : [],
  };
}
