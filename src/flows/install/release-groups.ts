import { z } from 'zod';
import type { FileContent } from '../../apps/context.ts';
import { ingressUrls, urlsOf } from '../../apps/ingress.ts';
import type { Output } from '../../apps/outputs.ts';
import { startsWithWhatIsThere } from '../../apps/pull-policy.ts';
import { renderRelease, type ReleaseContext, type ReleaseGroup } from '../../apps/release-objects.ts';
import { checksumKeyOf } from '../../cluster/checksum-key.ts';
import type { ClusterApi, KubeObject } from '../../cluster/port.ts';
import { DeliverError } from '../../core/errors.ts';
import { appFileName } from '../../lock/app-file-name.ts';
import type { RegistryAccount } from '../../registry/port.ts';
import { manifestParts } from './manifest-parts.ts';
import type { ReleaseSession } from '../release-session.ts';
import { hasNoRegistry } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/** What plan says in place of a value that the cluster makes during the install. */
const LATER = '(known after apply)';

/**
 * The groups of objects that a release applies on this site, in order; plan and install walk the same list.
 * @param account the account that pods pull with; absent when everyone may pull
 */
export async function groupsOf(
  session: ReleaseSession,
  ports: SitePorts,
  account: RegistryAccount | undefined,
  signal: AbortSignal,
): Promise<ReleaseGroup[]> {
  const api = await ports.cluster();
  const manifests = await manifestParts(session, ports.loaded.site, appUrls(session, ports), api, signal);
  const context: ReleaseContext = {
    ...siteContext(ports),
    manifests,
    secrets: ports.secrets,
    files: await filesOf(session),
    checksumKey: await checksumKeyOf(api, signal),
    ...(account === undefined ? {} : { pull: { account, hosts: session.sourceHosts } }),
  };
  const groups = renderRelease(session.release, context);
  if (!hasNoRegistry(ports.loaded.site)) return groups;
  return groups.map((group) => ({ ...group, render: (outputs) => group.render(outputs).map(startsWithWhatIsThere) }));
}

/** What the site file says about its ingress, as rendering needs it. */
export function siteContext(ports: SitePorts): Pick<ReleaseContext, 'ingress'> {
  const { ingress } = ports.loaded.site;
  return { ingress: { addresses: [], ...ingress } };
}

/** Where people will reach the release’s apps. */
function appUrls({ release }: Pick<ReleaseSession, 'release'>, ports: SitePorts): string[] {
  return (release.apps ?? []).flatMap((app) => urlsOf(app, siteContext(ports)));
}

/** Where people will reach what the release brings: its apps, and the Ingresses of its manifests. */
export async function releaseUrls(session: ReleaseSession, ports: SitePorts, signal: AbortSignal): Promise<string[]> {
  const urls = appUrls(session, ports);
  const parts = await manifestParts(session, ports.loaded.site, urls, undefined, signal);
  return [...urls, ...parts.flatMap(({ objects }) => objects).flatMap(ingressUrls)];
}

/** Definitions of custom kinds that the release brings: nobody has to wait for them at plan, everybody at install. */
export function definitionsOf(groups: readonly ReleaseGroup[]): KubeObject[] {
  const manifests = groups.filter((group) => group.manifests !== undefined);
  return manifests.flatMap((group) => group.render(new Map())).filter(({ kind }) => kind === 'CustomResourceDefinition');
}

/** The outputs that a group needs, asked of the cluster; those that are not there yet say so when `later` is allowed. */
export async function outputsFor(
  group: ReleaseGroup,
  api: ClusterApi,
  later: boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (const output of group.needs) {
    const value = await outputValue(output, api, signal);
    if (value === undefined && !later) {
      throw new DeliverError('E_APPLY', {
        what: `${group.title} needs the cluster IP of Service ${output.namespace}/${output.from}, which has none.`,
        why: 'The Service is headless or not there.',
        fix: 'Give that app a service of type ClusterIP or NodePort.',
      });
    }
    values.set(output.name, value ?? LATER);
  }
  return values;
}

const ServiceSpec = z.object({ spec: z.object({ clusterIP: z.string().optional() }) });

async function outputValue(output: Output, api: ClusterApi, signal: AbortSignal): Promise<string | undefined> {
  const service = await api.get({ apiVersion: 'v1', kind: 'Service', name: output.from, namespace: output.namespace }, signal);
  const parsed = ServiceSpec.safeParse(service);
  const address = parsed.success ? parsed.data.spec.clusterIP : undefined;
  return address === 'None' || address === '' ? undefined : address;
}

async function filesOf({ release, bundle }: ReleaseSession): Promise<ReadonlyMap<string, ReadonlyMap<string, FileContent>>> {
  const digests = new Map(bundle.lock.files.map((file) => [file.name, file.digest]));
  const all = new Map<string, Map<string, FileContent>>();
  for (const app of release.apps ?? []) {
    const files = new Map<string, FileContent>();
    for (const path of Object.keys(app.files ?? {})) {
      const digest = digests.get(appFileName(app.name, path));
      if (digest === undefined)
        throw new DeliverError('E_NOT_CLOSED', { what: `The bundle lacks ${path} of app ${app.name}.`, fix: 'Pack it again.' });
      files.set(path, await bundle.bytes(digest));
    }
    all.set(app.name, files);
  }
  return all;
}
