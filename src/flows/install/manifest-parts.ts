import { ingressUrls } from '../../apps/ingress.ts';
import { manifestTitle } from '../../apps/order.ts';
import { manifestPartObjects, type ManifestPart, type ManifestText } from '../../apps/manifest-part.ts';
import type { ManifestValues } from '../../apps/manifest-variables.ts';
import { customScopes, inNamespaces } from '../../cluster/scope.ts';
import type { ClusterApi, KubeObject } from '../../cluster/port.ts';
import { DeliverError } from '../../core/errors.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { clusterNameLines } from '../../site/dns/corefile.ts';
import { siteNames } from '../../site/dns/names.ts';
import type { ReleaseSession } from '../release-session.ts';

type Opened = Pick<ReleaseSession, 'release'> & { readonly bundle: Pick<ReleaseSession['bundle'], 'lock' | 'bytes'> };

/**
 * The entries of `manifests:` with their objects as they are applied on this site, read from the bundle.
 * @param appUrls where the apps of the release answer; the names of manifests’ own Ingresses are added
 * @param api absent while there is no cluster yet
 * @throws DeliverError E_NOT_CLOSED, E_YAML, E_SCHEMA, E_VARIABLE, E_CLUSTER, E_CLUSTER_AUTH
 */
export async function manifestParts(
  session: Opened,
  site: Site,
  appUrls: readonly string[],
  api: Pick<ClusterApi, 'list'> | undefined,
  signal: AbortSignal,
): Promise<ManifestPart[]> {
  const texts = await textsOf(session);
  const withNames = (urls: readonly string[]): ManifestValues => ({
    site,
    dns: { names: clusterNameLines(siteNames(site, urls)) },
  });
  const release = session.release.metadata.name;
  const render = (values: ManifestValues): KubeObject[][] => texts.map((files) => manifestPartObjects(files, values, release));
  const urls = [...appUrls, ...render(withNames(appUrls)).flat().flatMap(ingressUrls)];
  const rendered = render(withNames(urls));
  const custom = customScopes(rendered.flat());
  const parts: ManifestPart[] = [];
  for (const [index, entry] of (session.release.manifests ?? []).entries()) {
    const objects = await inNamespaces(rendered[index] ?? [], custom, api, signal);
    parts.push({ title: manifestTitle(entry), objects });
  }
  return parts;
}

async function textsOf({ release, bundle }: Opened): Promise<ManifestText[][]> {
  return Promise.all(
    (release.manifests ?? []).map(async ({ path }, index) => {
      const files = bundle.lock.files.filter(({ name }) => name.startsWith(`manifests/${String(index)}/`));
      if (files.length === 0)
        throw new DeliverError('E_NOT_CLOSED', { what: `The bundle lacks the manifests ${path}.`, fix: 'Pack it again.' });
      return Promise.all(
        files.map(async ({ source, digest }) => ({
          file: source,
          text: Buffer.from(await bundle.bytes(digest)).toString('utf8'),
        })),
      );
    }),
  );
}
