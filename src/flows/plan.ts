import { readRecord } from '../cluster/record.ts';
import { refKey, refText } from '../cluster/refs.ts';
import { urlsOf } from '../apps/ingress.ts';
import { countText } from '../core/amounts.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import { isReference } from '../registry/push-referrers.ts';
import { mirrorChanges } from '../site/mirrors.ts';
import { planRelease } from './plan-objects.ts';
import type { NodePlan, ObjectPlan, PlanResult, RegistryPlan } from './plan-types.ts';
import { siteContext } from './release-groups.ts';
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
    step('mirrors', 'Hosts', async (_report, signal) => {
      const mirrors = await siteMirrors(needed(session), ports, signal);
      nodes = mirrors.map(({ node, files }) => ({
        host: node,
        files: files.flatMap(({ file, state }) => (state === 'same' ? [] : [file.path])),
      }));
      return { summary: mirrorChanges(mirrors) === 0 ? 'no change' : `${countText(mirrorChanges(mirrors), 'file')} to write` };
    }),
    step(
      'objects',
      'Cluster',
      async (report: Report, signal) => {
        objects = await planRelease(needed(session), ports, report, signal);
        const changes = objects.filter(({ action }) => action !== 'same').length;
        result = await resultOf(needed(session), needed(preflight), { nodes, objects }, ports, signal);
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
  changes: { readonly nodes: readonly NodePlan[]; readonly objects: readonly ObjectPlan[] },
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { name, version } = session.release.metadata;
  const record = await readRecord(await ports.cluster(), name, signal);
  const registry = registryPlan(session, preflight);
  const kept = new Set(changes.objects.map(({ ref }) => refKey(ref)));
  const same = record?.status === 'installed' && record.root === session.bundle.root.digest;
  const still =
    changes.objects.every(({ action }) => action === 'same') && changes.nodes.every(({ files }) => files.length === 0);
  return {
    release: name,
    version,
    ...(record === undefined ? {} : { from: record.version }),
    site: ports.loaded.site.metadata.name,
    hosts: ports.loaded.site.hosts?.length ?? 0,
    kubernetes: preflight.kubernetes ?? '',
    checks: preflight.checks,
    registry,
    ...changes,
    leftOver: (record?.inventory ?? []).filter((ref) => !kept.has(refKey(ref))).map(refText),
    urls: releaseUrls(session, ports),
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

/** Where people will reach the release's apps. */
export function releaseUrls({ release }: ReleaseSession, ports: SitePorts): string[] {
  return (release.apps ?? []).flatMap((app) => urlsOf(app, siteContext(ports)));
}
