import { readRecord } from '../cluster/record.ts';
import { refKey, refText } from '../cluster/refs.ts';
import { countText } from '../core/amounts.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import { mirrorChanges } from '../site/mirrors/mirrors.ts';
import { NO_FOUNDATION, planFoundation, settledHosts, type FoundationPlan } from './plan/foundation-plan.ts';
import { isTouched, nodePlans } from './plan/node-plan.ts';
import { planRelease } from './plan/objects.ts';
import { NO_REGISTRY_PLAN, planImages } from './plan/images.ts';
import { planHarborSide } from './plan/harbor.ts';
import { plannedParts } from './plan/parts.ts';
import { planPushed } from './plan/push.ts';
import type { ImagesPlan, NodePlan, ObjectPlan, PlanResult } from './plan/types.ts';
import { releaseUrls } from './install/release-groups.ts';
import { trustRelease, trustSummary, type ReleaseInput, type ReleaseSession } from './release-session.ts';
import { siteMirrors } from './site-mirrors.ts';
import { preflightSummary, refuseFailed, runPreflights, type Preflight } from './preflight/site.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep, type SiteStepOptions } from './install/site-step.ts';

/** Whatever an error says of its own work, a plan does none. */
const READ_ONLY = { state: () => 'Nothing was changed.' } as const;

/** `deliver plan`: trust, preflights, then what an install would change in the registry, on the nodes and in the cluster. */
export function planFlow(input: ReleaseInput, ports: SitePorts): Flow<PlanResult> {
  let session: ReleaseSession | undefined;
  let preflight: Preflight | undefined;
  let build: FoundationPlan = NO_FOUNDATION;
  let nodes: readonly NodePlan[] = [];
  let images: ImagesPlan | undefined;
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
      const found = await planFoundation(needed(session), ports, report, signal);
      build = found.build;
      const mirrors = await siteMirrors(needed(session), ports, false, signal, found.ca);
      nodes = nodePlans(mirrors, ports.loaded.site);
      const told = nodes.filter(({ reload }) => reload !== undefined).length;
      images = await planImages(needed(session), ports, signal);
      const changes = [
        ...(build.changes === 0 ? [] : [`${countText(build.changes, 'host')} to change`]),
        ...(mirrorChanges(mirrors) === 0 ? [] : [`${countText(mirrorChanges(mirrors), 'file')} to write`]),
        ...(told === 0 ? [] : [`${countText(told, 'runtime')} to read mirrors anew`]),
        ...((images?.changes ?? 0) === 0 ? [] : ['images to bring']),
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
        result = await resultOf(
          needed(session),
          needed(preflight),
          { build, nodes, objects, ...(images === undefined ? {} : { images }) },
          ports,
          signal,
        );
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
  changes: Pick<PlanResult, 'build' | 'nodes' | 'objects' | 'images'>,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { name, version } = session.release.metadata;
  const record = preflight.kubernetes === undefined ? undefined : await readRecord(await ports.cluster(), name, signal);
  const pushed = changes.images === undefined ? planPushed(session, preflight, ports) : NO_REGISTRY_PLAN;
  const registry = { ...pushed, ...(await planHarborSide(session, pushed, ports)) };
  const kept = new Set(changes.objects.map(({ ref }) => refKey(ref)));
  const same = record?.status === 'installed' && record.root === session.bundle.root.digest;
  const still =
    changes.build.changes === 0 &&
    (changes.images?.changes ?? 0) === 0 &&
    changes.objects.every(({ action }) => action === 'same') &&
    !changes.nodes.some(isTouched);
  const others = new Set(changes.nodes.filter(isTouched).map(({ host }) => host));
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
    settled: settledHosts(changes.build, others),
    cluster: preflight.kubernetes === undefined ? 'to-be-made' : 'there',
    parts: await plannedParts(session, ports, signal),
    leftOver: (record?.inventory ?? []).filter((ref) => !kept.has(refKey(ref))).map(refText),
    urls: await releaseUrls(session, ports, signal),
    unchanged:
      same &&
      still &&
      registry.setUp === undefined &&
      registry.imagesToPush === 0 &&
      (preflight.need?.items.length ?? 0) === 0 &&
      registry.projectsToMake.length === 0,
  };
}
