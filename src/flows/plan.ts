import { readRecord } from '../cluster/record.ts';
import { refKey, refText } from '../cluster/refs.ts';
import { countText } from '../core/amounts.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import { isReference } from '../registry/push-referrers.ts';
import { mirrorChanges } from '../site/mirrors.ts';
import { planFoundation, type FoundationPlan } from './foundation.ts';
import { planRelease } from './plan-objects.ts';
import type { NodePlan, ObjectPlan, PlanResult, RegistryPlan } from './plan-types.ts';
import { releaseUrls } from './release-groups.ts';
import { trustRelease, trustSummary, type ReleaseInput, type ReleaseSession } from './release-session.ts';
import { siteMirrors } from './site-mirrors.ts';
import { preflightSummary, refuseFailed, runPreflights, type Preflight } from './site-preflight.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep, type SiteStepOptions } from './site-step.ts';

/** Whatever an error says of its own work, a plan does none. */
const READ_ONLY = { state: () => 'Nothing was changed.' } as const;

/** `deliver plan`: trust, preflights, then what an install would change in the registry, on the nodes and in the cluster. */
export function planFlow(input: ReleaseInput, ports: SitePorts): Flow<PlanResult> {
  let session: ReleaseSession | undefined;
  let preflight: Preflight | undefined;
  let build: FoundationPlan = { lines: [], changes: 0 };
  let nodes: readonly NodePlan[] = [];
  let objects: readonly ObjectPlan[] = [];
  let result: PlanResult | undefined;
  const step = (id: string, title: string, work: Step['run'], options: SiteStepOptions = READ_ONLY): Step =>
    siteStep(ports, id, title, work, options);
  const steps: Step[] = [
    step('trust', 'Trusted', async (report, signal) => {
      session = await trustRelease(input, ports, report, signal);
      return { summary: trustSummary(session) };
    }),
    step('preflight', 'Preflight', async (report, signal) => {
      preflight = await runPreflights(needed(session), ports, report, signal);
      refuseFailed(preflight.checks);
      return { summary: preflightSummary(preflight.checks, ports.loaded.site.hosts?.length ?? 0) };
    }),
    step('mirrors', 'Hosts', async (report, signal) => {
      build = await planFoundation(needed(session), ports, report, signal);
      const mirrors = await siteMirrors(needed(session), ports, false, signal);
      nodes = mirrors.map(({ node, files }) => ({
        host: node,
        files: files.flatMap(({ file, state }) => (state === 'same' ? [] : [file.path])),
      }));
      const changes = [
        ...(build.changes === 0 ? [] : [`${countText(build.changes, 'host')} to change`]),
        ...(mirrorChanges(mirrors) === 0 ? [] : [`${countText(mirrorChanges(mirrors), 'file')} to write`]),
      ];
      return { summary: changes.length === 0 ? 'no change' : changes.join(', ') };
    }),
    step(
      'objects',
      'Cluster',
      async (report: Report, signal) => {
        const isThere = needed(preflight).kubernetes !== undefined;
        objects = isThere ? await planRelease(needed(session), ports, report, signal) : [];
        const changes = objects.filter(({ action }) => action !== 'same').length;
        result = await resultOf(needed(session), needed(preflight), { build, nodes, objects }, ports, signal);
        if (!isThere) return { summary: 'still to be made; its objects are compared once it is there' };
        return {
          summary: changes === 0 ? 'no change' : `${countText(changes, 'object')} of ${String(objects.length)} to change`,
        };
      },
      { ...READ_ONLY, last: () => session?.bundle.close() },
    ),
  ];
  return { steps, result: () => needed(result) };
}

async function resultOf(
  session: ReleaseSession,
  preflight: Preflight,
  changes: Pick<PlanResult, 'build' | 'nodes' | 'objects'>,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { name, version } = session.release.metadata;
  const record = preflight.kubernetes === undefined ? undefined : await readRecord(await ports.cluster(), name, signal);
  const registry = registryPlan(session, preflight);
  const kept = new Set(changes.objects.map(({ ref }) => refKey(ref)));
  const same = record?.status === 'installed' && record.root === session.bundle.root.digest;
  const still =
    changes.build.changes === 0 &&
    changes.objects.every(({ action }) => action === 'same') &&
    changes.nodes.every(({ files }) => files.length === 0);
  return {
    release: name,
    version,
    ...(record === undefined ? {} : { from: record.version }),
    site: ports.loaded.site.metadata.name,
    hosts: ports.loaded.site.hosts?.length ?? 0,
    kubernetes: preflight.kubernetes ?? session.release.kubernetes?.version ?? '',
    checks: preflight.checks,
    registry,
    ...changes,
    leftOver: (record?.inventory ?? []).filter((ref) => !kept.has(refKey(ref))).map(refText),
    urls: await releaseUrls(session, ports, signal),
    unchanged: same && still && (preflight.need?.items.length ?? 0) === 0 && registry.projectsToMake.length === 0,
  };
}

function registryPlan(session: ReleaseSession, { need }: Preflight): RegistryPlan {
  const present = need?.present.filter(isReference).length ?? 0;
  const missing = need?.items.filter(isReference).length ?? 0;
  return {
    host: session.naming.registryHost,
    images: present + missing,
    imagesToPush: missing,
    bytesToPush: need?.bytes ?? 0,
    projectsToMake: need?.projectsToMake ?? [],
  };
}
