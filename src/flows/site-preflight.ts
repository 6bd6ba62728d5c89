import semver from 'semver';
import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import type { PushNeed } from '../registry/push-need.ts';
import { check, checkThat, type Check } from '../site/check.ts';
import { nodesOf } from '../site/nodes.ts';
import { failedChecks, preflightHosts } from '../site/preflight.ts';
import { neededRegistry, type ReleaseSession } from './release-session.ts';
import { registryChecks, registryRoomChecks } from './registry-preflight.ts';
import type { SitePorts } from './site-ports.ts';

/** What was found before anything is changed. */
export interface Preflight {
  readonly checks: readonly Check[];
  /** What the registry lacks; absent when it could not be asked. */
  readonly need?: PushNeed;
  /** Version of the cluster; absent when it could not be asked. */
  readonly kubernetes?: string;
}

/** Looks at registry, cluster and every host; read-only, and what fails is a check, not an error. */
export async function runPreflights(
  session: ReleaseSession,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<Preflight> {
  const found: { need?: PushNeed; kubernetes?: string } = {};
  const registry = await registryChecks(session, ports, signal, (need) => {
    found.need = need;
  });
  const cluster = await checkThat('cluster', 'Kubernetes API', async () => {
    found.kubernetes = await (await ports.cluster()).version(signal);
    return { found: found.kubernetes };
  });
  const hosts = ports.loaded.site.hosts ?? [];
  const { host, plainHttp, address, via } = neededRegistry(ports);
  const needs = {
    nodes: nodesOf(ports.loaded.site).map(({ name }) => name),
    platforms: session.bundle.lock.platforms,
    imageBytes: found.need === undefined ? 0 : unpulledBytes(found.need),
    // Through a tunnel the address is the far end's business; nodes see the name.
    registry: {
      host,
      ...(plainHttp === undefined ? {} : { plainHttp }),
      ...(address === undefined || via !== undefined ? {} : { address }),
    },
  };
  const onHosts = await preflightHosts(ports.hosts, hosts, needs, report, signal);
  const room = await registryRoomChecks(ports, found.need, signal);
  return {
    ...found,
    checks: [
      ...onHosts,
      ...nodeCheck(needs.nodes, session),
      ...registry,
      ...room,
      cluster,
      ...versionChecks(session, found.kubernetes),
    ],
  };
}

/** @throws DeliverError E_PREFLIGHT naming every failed check, or the single code when all failed for one reason of trust */
export function refuseFailed(checks: readonly Check[]): void {
  const failed = failedChecks(checks);
  if (failed.length === 0) return;
  const codes = new Set(failed.map(({ code }) => code));
  const [code] = codes;
  const fixes = [...new Set(failed.flatMap(({ fix }) => fix ?? []))];
  const lines = failureLines(failed);
  const [only] = lines;
  const details = [...(lines.length === 1 ? [] : lines), ...failed.flatMap((one) => one.details ?? [])];
  // A failure that has a meaning of its own (a wrong host key, a refused login) keeps its code and exit code.
  throw new DeliverError(codes.size === 1 && code !== undefined ? code : 'E_PREFLIGHT', {
    what: lines.length === 1 && only !== undefined ? `Preflight: ${only}` : `${countText(lines.length, 'preflight')} failed.`,
    ...(details.length === 0 ? {} : { details }),
    ...(fixes.length === 0 ? {} : { fix: fixes.join('\n') }),
    state: 'Nothing was changed.',
  });
}

/** One line per cause: hosts behind a bastion that can't be reached all fail for the bastion's reason. */
function failureLines(failed: readonly Check[]): string[] {
  const places = new Map<string, string[]>();
  for (const { host, title, found } of failed) {
    const cause = found ?? `${title} failed`;
    const place = host === undefined ? title : `${host}: ${title}`;
    places.set(cause, [...(places.get(cause) ?? []), place]);
  }
  return [...places].map(([cause, where]) => `${where.join(', ')}: ${cause}`);
}

/** `22 checks on 4 hosts`, with warnings counted. */
export function preflightSummary(checks: readonly Check[], hosts: number): string {
  const warnings = checks.filter(({ outcome }) => outcome === 'warn').length;
  return `${countText(checks.length, 'check')} on ${countText(hosts, 'host')}${warnings === 0 ? '' : `, ${countText(warnings, 'warning')}`}`;
}

function versionChecks(session: ReleaseSession, kubernetes: string | undefined): Check[] {
  const wanted = session.release.kubernetes?.version;
  if (wanted === undefined || kubernetes === undefined) return [];
  const same = semver.coerce(wanted)?.minor === semver.coerce(kubernetes)?.minor;
  const outcome = check('kubernetes-version', 'Kubernetes version');
  if (same) return [outcome.pass({ found: kubernetes })];
  return [
    outcome.warn({
      found: `${kubernetes}; the release was made for ${wanted}`,
      fix: 'Try it on a cluster of the release’s version first.',
    }),
  ];
}

/** Without hosts in the site file nobody writes the mirrors, and every pull goes upstream, where there is no way to. */
function nodeCheck(nodes: readonly string[], { sourceHosts, naming }: ReleaseSession): Check[] {
  const elsewhere = sourceHosts.filter((host) => host !== naming.registryHost);
  if (nodes.length > 0 || elsewhere.length === 0) return [];
  return [
    check('nodes', 'mirrors of the nodes').warn({
      found: `the site file names no node, so nothing points ${elsewhere.join(', ')} at ${naming.registryHost} there`,
      fix: 'Add the nodes under hosts:, unless their container runtimes have these mirrors already.',
    }),
  ];
}

function unpulledBytes(need: PushNeed): number {
  const sizes = new Map(need.items.flatMap(({ blobs }) => blobs.map(({ digest, size }) => [digest, size] as const)));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
