import { listRecords } from '../../cluster/record.ts';
import type { Report, StepResult } from '../../core/report.ts';
import type { SiteHost } from '../../manifest/site-schema.ts';
import { siteNames } from '../../site/dns/names.ts';
import { DNS_PROGRAM, dnsHosts, dnsWish } from '../../site/dns/wish.ts';
import { carriedComponents } from '../../site/runtime/carried.ts';
import { wishHosts } from './hosts-step.ts';
import { releaseUrls } from './release-groups.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/**
 * The name server for the site’s network, where the site file asks for one (`ingress.dns`): it answers the names of every
 * release on the site. A release without coredns leaves the program as it is.
 * @throws DeliverError E_HOST, E_SSH*, E_CLUSTER
 */
export async function applySiteDns(
  session: ReleaseSession,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<StepResult> {
  const { site } = ports.loaded;
  const wanted = dnsHosts(site);
  if (wanted.length === 0) return { summary: 'not asked for' };
  const program = carriedComponents(session.bundle.lock).find(({ name }) => name === 'coredns');
  const hosts = program === undefined ? await withProgram(wanted, ports, report, signal) : wanted;
  const records = await listRecords(await ports.cluster(), signal);
  const others = records.filter(({ name }) => name !== session.release.metadata.name).flatMap(({ urls }) => urls);
  const names = siteNames(site, [...others, ...(await releaseUrls(session, ports, signal))]);
  return wishHosts(
    hosts.map((host) => dnsWish(host, names, program)),
    session,
    ports,
    report,
    signal,
  );
}

async function withProgram(
  hosts: readonly SiteHost[],
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<SiteHost[]> {
  const found: SiteHost[] = [];
  for (const host of hosts) {
    const connection = await ports.hosts.connect(host.name, signal);
    if ((await connection.run(`test -x ${DNS_PROGRAM}`, { signal })).code === 0) found.push(host);
    else
      report.note(
        `! ${host.name} answers no names: neither it nor the release has coredns. Add coredns to kubernetes.components of the release.`,
      );
  }
  return found;
}
