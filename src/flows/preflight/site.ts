import semver from 'semver';
import { countText } from '../../core/amounts.ts';
import type { Digest } from '../../core/digest.ts';
import { DeliverError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { PushNeed } from '../../registry/push-need.ts';
import type { SiteRegistry } from '../../manifest/site-schema.ts';
import { sizesOf } from '../../site/check/budget.ts';
import { buildNeeds, buildsSomething } from '../../site/check/duties.ts';
import { check, type Check } from '../../site/check/check.ts';
import type { PreflightNeeds } from '../../site/check/preflight-needs.ts';
import { nodesOf } from '../../site/nodes/nodes.ts';
import { failedChecks, preflightHosts } from '../../site/check/preflight.ts';
import { clusterPreflight } from './cluster.ts';
import type { ReleaseSession } from '../release-session.ts';
import { imagesPreflight } from './images.ts';
import { registryAccessChecks, registryChecks, registryRoomChecks } from './registry.ts';
import { hasNoRegistry } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/** What was found before anything is changed. */
export interface Preflight {
  readonly checks: readonly Check[];
  /** What the registry lacks; absent when it could not be asked. */
  readonly need?: PushNeed;
  /** Version of the cluster; absent when it could not be asked. */
  readonly kubernetes?: string;
}

/**
 * Looks at registry, cluster and every host; read-only, and what fails is a check, not an error.
 * @param session the release that would be installed; without one only what is true of any release is looked at
 */
export async function runPreflights(
  session: ReleaseSession | undefined,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<Preflight> {
  const { site } = ports.loaded;
  const found: { need?: PushNeed } = {};
  const builds = buildsSomething(site, session?.bundle.lock);
  const [images, registry, cluster] = await Promise.all([
    hasNoRegistry(site) ? imagesPreflight(session, ports, signal) : undefined,
    askRegistry(session, ports, signal, (need) => {
      found.need = need;
    }),
    clusterPreflight(session?.release.kubernetes?.version, builds, ports, signal),
  ]);
  const sizes =
    session === undefined || !builds
      ? undefined
      : await sizesOf(session.bundle, images?.lacking ?? lackingDigests(found.need), signal);
  // One that is not there yet can't be reached from nodes either.
  const seen = site.registry?.install !== undefined && found.need === undefined ? undefined : site.registry;
  const needs = {
    nodes: nodesOf(site).map(({ name }) => name),
    platforms: session?.bundle.lock.platforms ?? [],
    ...(site.runtime?.kind === undefined ? {} : { runtime: site.runtime.kind }),
    imageBytes: found.need === undefined ? (images?.bytes ?? 0) : unpulledBytes(found.need),
    ...(seen === undefined ? {} : { registry: registryAsSeen(seen) }),
    ...(builds ? { build: buildNeeds(site, session?.bundle.lock, sizes, cluster.members) } : {}),
  };
  const onHosts = await preflightHosts(ports.hosts, site.hosts ?? [], needs, report, signal);
  const room = site.registry === undefined ? [] : await registryRoomChecks(ports, found.need, signal);
  return {
    ...found,
    ...(cluster.version === undefined ? {} : { kubernetes: cluster.version }),
    checks: [
      ...onHosts,
      ...(session === undefined ? [] : nodeCheck(needs.nodes, session)),
      ...registry,
      ...room,
      ...(images?.checks ?? []),
      ...cluster.checks,
      ...(session === undefined || builds ? [] : versionChecks(session, cluster.version)),
    ],
  };
}

function askRegistry(
  session: ReleaseSession | undefined,
  ports: SitePorts,
  signal: AbortSignal,
  measured: (need: PushNeed) => void,
): Promise<Check[]> {
  if (hasNoRegistry(ports.loaded.site)) return Promise.resolve([]);
  return session === undefined ? registryAccessChecks(ports) : registryChecks(session, ports, signal, measured);
}

/** Through a tunnel the address is the far end's business; nodes see the name. */
function registryAsSeen({ host, plainHttp, address, via }: SiteRegistry): NonNullable<PreflightNeeds['registry']> {
  return {
    host,
    ...(plainHttp === undefined ? {} : { plainHttp }),
    ...(address === undefined || via !== undefined ? {} : { address }),
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

function lackingDigests(need: PushNeed | undefined): ReadonlySet<Digest> | undefined {
  return need === undefined ? undefined : new Set(need.items.map(({ root }) => root.digest));
}

function unpulledBytes(need: PushNeed): number {
  const sizes = new Map(need.items.flatMap(({ blobs }) => blobs.map(({ digest, size }) => [digest, size] as const)));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
