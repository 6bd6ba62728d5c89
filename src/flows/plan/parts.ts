import { isNetwork } from '../../apps/manifest-part.ts';
import { orderParts, type OrderedPart } from '../../apps/order.ts';
import { manifestParts } from '../install/manifest-parts.ts';
import type { PlannedPart } from './types.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/**
 * What a release applies, in the order of `renderRelease`, told without a cluster: the pod network, the other add-ons,
 * externals, apps and the manifests that wait for them.
 * @throws DeliverError E_NOT_CLOSED, E_YAML, E_SCHEMA, E_VARIABLE, E_GRAPH
 */
export async function plannedParts(session: ReleaseSession, ports: SitePorts, signal: AbortSignal): Promise<PlannedPart[]> {
  const { release } = session;
  const manifests = await manifestParts(session, ports.loaded.site, [], undefined, signal);
  const part = ({ kind, index, name }: OrderedPart): PlannedPart => {
    const app = kind === 'app' ? release.apps?.[index] : undefined;
    if (app !== undefined) return { kind: 'app', name: `${app.namespace}/${name}` };
    return { kind: 'addon', name, objects: manifests[index]?.objects.length ?? 0 };
  };
  const brings = ({ kind, index }: OrderedPart): boolean => kind === 'manifests' && isNetwork(manifests[index]?.objects ?? []);
  const ordered = orderParts(release);
  const early = ordered.filter(({ late }) => !late);
  return [
    ...early.filter(brings).map(part),
    ...early.filter((one) => !brings(one)).map(part),
    ...(release.externals ?? []).map(({ name, namespace }): PlannedPart => ({ kind: 'external', name: `${namespace}/${name}` })),
    ...ordered.filter(({ late }) => late).map(part),
  ];
}
