import { mirrorFiles } from '../site/mirror-files.ts';
import { planMirrors, type NodeMirrors } from '../site/mirrors.ts';
import { nodesOf } from '../site/nodes.ts';
import { siteFolder } from '../registry/site-repository.ts';
import { neededRegistry, type ReleaseSession } from './release-session.ts';
import type { SitePorts } from './site-ports.ts';

/** Compares the mirror files of every node with what the release needs. */
export async function siteMirrors(session: ReleaseSession, ports: SitePorts, signal: AbortSignal): Promise<NodeMirrors[]> {
  const registry = neededRegistry(ports);
  const { ca } = ports;
  const files = mirrorFiles({
    sourceHosts: session.sourceHosts,
    registryHost: registry.host,
    naming: (host) => siteFolder(host, session.naming) ?? '',
    ...(registry.plainHttp === undefined ? {} : { plainHttp: registry.plainHttp }),
    ...(ca === undefined ? {} : { caPem: ca }),
  });
  const nodes = nodesOf(ports.loaded.site).map((host) => host.name);
  return planMirrors(ports.hosts, nodes, files, signal);
}
