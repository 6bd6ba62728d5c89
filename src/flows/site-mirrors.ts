import { closedMirrorFiles, mirrorFiles, type MirrorFile, type MirrorOptions } from '../site/mirrors/files.ts';
import { planMirrors, type NodeMirrors } from '../site/mirrors/mirrors.ts';
import { crioFiles, MIRROR_RELOAD, registriesYaml, type OtherRuntime } from '../site/mirrors/other-runtimes.ts';
import { nodesOf } from '../site/nodes/nodes.ts';
import { siteFolder } from '../registry/site-repository.ts';
import { nodeAuthorization } from './install/node-account.ts';
import { neededRegistry, type ReleaseSession } from './release-session.ts';
import { hasNoRegistry } from './site-images.ts';
import { siteCa } from './install/site-ca.ts';
import type { SitePorts } from './site-ports.ts';

/**
 * Compares the mirror files of every node with what the release needs.
 * @param make true when they are written next: an account for the nodes is made where one is needed
 * @param expected PEM of the CA that the registry will have, for a plan of one that is still to be installed
 */
export async function siteMirrors(
  session: ReleaseSession,
  ports: SitePorts,
  make: boolean,
  signal: AbortSignal,
  expected?: string,
): Promise<NodeMirrors[]> {
  const nodes = nodesOf(ports.loaded.site).map((host) => host.name);
  if (hasNoRegistry(ports.loaded.site)) return planMirrors(ports.hosts, nodes, closedMirrorFiles(session.sourceHosts), signal);
  const registry = neededRegistry(ports);
  const ca = expected ?? (await siteCa(ports, signal));
  const authorization = await nodeAuthorization(session, ports, make, signal);
  const options = {
    sourceHosts: session.sourceHosts,
    registryHost: registry.host,
    naming: (host: string) => siteFolder(host, session.naming) ?? '',
    ...(registry.plainHttp === undefined ? {} : { plainHttp: registry.plainHttp }),
    ...(ca === undefined ? {} : { caPem: ca }),
    ...(authorization === undefined ? {} : { authorization }),
  };
  const kind = ports.loaded.site.runtime?.kind ?? 'containerd';
  if (kind === 'containerd') return planMirrors(ports.hosts, nodes, mirrorFiles(options), signal);
  const planned = await Promise.all(
    nodes.map(async (node) => planMirrors(ports.hosts, [node], await filesOf(kind, options, node, ports, signal), signal)),
  );
  return planned.flat().map((node) => ({ ...node, reload: MIRROR_RELOAD[kind] }));
}

/** k3s and RKE2 have one file for all, in which others may have written. */
async function filesOf(
  kind: OtherRuntime,
  options: MirrorOptions,
  node: string,
  { hosts }: SitePorts,
  signal: AbortSignal,
): Promise<MirrorFile[]> {
  if (kind === 'crio') return crioFiles(options);
  const found = await (await hosts.connect(node, signal)).readFile(`/etc/rancher/${kind}/registries.yaml`);
  return registriesYaml(kind, options, found === undefined ? undefined : Buffer.from(found).toString('utf8'));
}
