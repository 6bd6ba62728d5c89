import { hostsFileLines } from '../apps/hosts-file.ts';
import { beginRecord, finishRecord, type RecordFacts } from '../cluster/record.ts';
import { countText } from '../core/amounts.ts';
import type { Digest } from '../core/digest.ts';
import { isDeliverError } from '../core/errors.ts';
import { mapSteps, type LanedFlow, type Step, type StepLanes } from '../core/report.ts';
import { dnsHosts } from '../site/dns/wish.ts';
import { applyAddons } from './install/addons-step.ts';
import { applyApps, applyGroups, inventoryOf } from './install/apply-groups.ts';
import { InstallLock } from './install/install-lock.ts';
import { applySiteDns } from './install/dns-step.ts';
import { foundationSteps } from './install/foundation.ts';
import { keptNodes } from './install/host-wishes.ts';
import { letOldImagesGo } from './install/images-step.ts';
import { installState, stepState } from './install/install-state.ts';
import { Journal } from './install/journal.ts';
import { planRelease } from './plan/objects.ts';
import type { InstallResult } from './plan/types.ts';
import { ensurePullAccount } from './install/pull-account.ts';
import { openPushAccount } from './install/push-account.ts';
import { pushStep } from './install/push-step.ts';
import { recordedTrust } from './install/recorded-trust.ts';
import { definitionsOf, groupsOf, releaseUrls } from './install/release-groups.ts';
import { trustRelease, trustSummary, type ReleaseInput, type ReleaseSession } from './release-session.ts';
import { preflightSummary, refuseFailed, runPreflights } from './preflight/site.ts';
import { hasNoRegistry } from './site-images.ts';
import type { SitePorts } from './site-ports.ts';
import { needed } from './install/site-step.ts';
import type { ReleaseGroup } from '../apps/release-objects.ts';
import type { SiteRegistryAccess } from './site-ports.ts';

/** Steps that only look. */
const READ_ONLY = new Set(['trust', 'preflight']);
const LAST = 'record';

/** `deliver install`: each step is skipped when what it does is already true; the same command goes on after any interruption. */
export function installFlow(input: ReleaseInput, ports: SitePorts): LanedFlow<InstallResult> {
  let session: ReleaseSession | undefined;
  let journal: Journal | undefined;
  let registry: SiteRegistryAccess | undefined;
  let groups: readonly ReleaseGroup[] = [];
  let result: InstallResult | undefined;
  const lock = new InstallLock();
  const changed: string[] = [];
  let changes = 0;
  let isTouched = false;

  const step = (id: string, title: string, work: Step['run']): Step => ({
    id,
    title,
    run: async (report, signal) => {
      const isReadOnly = READ_ONLY.has(id);
      if (!isReadOnly) {
        isTouched = true;
        // What only looked was not interrupted: the next run has nothing to go on from.
        await journal?.append({ event: 'step', step: id, ...journalled(needed(session)) });
      }
      const done = await work(report, lock.guard(signal)).catch((error: unknown) => {
        throw isDeliverError(error) && !isReadOnly ? error.with({ state: stepState(error.facts.state) }) : error;
      });
      if ((done.changed ?? 0) > 0) changed.push(`${title.toLowerCase()} (${done.summary})`);
      changes += done.changed ?? 0;
      const event = id === LAST ? 'done' : 'step-done';
      if (!isReadOnly) await journal?.append({ event, step: id, ...journalled(needed(session)) });
      return done;
    },
  });

  const pushed = pushStep(
    () => {
      const { writer, harbor } = needed(registry);
      const { bundle, push: plan } = needed(session);
      const openWriter = () => openPushAccount(needed(session), ports);
      return { bundle, plan, writer, openWriter, ...(harbor === undefined ? {} : { harbor }) };
    },
    () => undefined,
  );
  const push: Step = {
    ...pushed,
    run: async (report, signal) => {
      registry = await ports.registry();
      return pushed.run(report, signal);
    },
  };

  const of = (own: Step): Step => step(own.id, own.title, (report, signal) => own.run(report, signal));

  const steps: (Step | StepLanes)[] = [
    step('trust', 'Trusted', async (report, signal) => {
      session = await trustRelease(input, ports, report, signal);
      const { bundle, release } = session;
      journal = new Journal(ports.stateFolder, ports.loaded.site.metadata.name, release.metadata.name);
      const before = await journal.interrupted(bundle.root.digest);
      if (before !== undefined)
        report.note(`Going on from ${before.time.slice(11, 16)} UTC (interrupted at ${stepsText(before.steps)}).`);
      return { summary: trustSummary(session) };
    }),
    step('preflight', 'Preflight', async (report, signal) => {
      const { checks, kubernetes } = await runPreflights(needed(session), ports, report, signal);
      refuseFailed(checks);
      // A cluster that is still to be made can’t be asked, and nobody else can be at work in it.
      if (kubernetes !== undefined) {
        // What the API server, or a value that the site lacks, would refuse later is refused before anything is changed.
        await planRelease(needed(session), ports, report, signal);
        await lock.take(await ports.cluster(), report, signal);
      }
      for (const { host, title, found, fix } of checks.filter(({ outcome }) => outcome === 'warn')) {
        report.note(
          `! ${host === undefined ? '' : `${host}: `}${title}: ${found ?? ''}${fix === undefined ? '' : ` Fix: ${fix}`}`,
        );
      }
      return { summary: preflightSummary(checks, ports.loaded.site.hosts?.length ?? 0) };
    }),
    ...mapSteps(
      foundationSteps(() => needed(session), ports, push),
      of,
    ),
    step('addons', 'Add-ons', async (report, signal) => {
      await lock.take(await ports.cluster(), report, signal);
      const pull = await ensurePullAccount(needed(session), ports, signal);
      groups = await groupsOf(needed(session), ports, pull?.account, signal);
      await beginRecord(await ports.cluster(), await factsOf(needed(session), groups, ports, signal), new Date(), signal);
      const addons = groups.filter((group) => group.step === 'addons');
      return applyAddons(addons, await ports.cluster(), {
        definitions: definitionsOf(groups),
        report,
        // On a new cluster the lock is held from here on.
        signal: lock.guard(signal),
        nodes: keptNodes(ports.loaded.site, needed(session).bundle.lock),
      });
    }),
    step('namespaces', 'Namespaces', async (report, signal) =>
      applyGroups(
        groups.filter((group) => group.step === 'namespaces'),
        await ports.cluster(),
        report,
        signal,
      ),
    ),
    step('externals', 'Externals', async (report, signal) =>
      applyGroups(
        groups.filter((group) => group.step === 'externals'),
        await ports.cluster(),
        report,
        signal,
      ),
    ),
    step('apps', 'Apps', async (report, signal) =>
      applyApps(
        groups.filter((group) => group.step === 'apps'),
        await ports.cluster(),
        { definitions: definitionsOf(groups), report, signal },
      ),
    ),
    ...(dnsHosts(ports.loaded.site).length === 0
      ? []
      : [step('dns', 'Names', async (report, signal) => applySiteDns(needed(session), ports, report, signal))]),
    ...(hasNoRegistry(ports.loaded.site)
      ? [step('old-images', 'Old images', async (_report, signal) => letOldImagesGo(needed(session), ports, signal))]
      : []),
    step(LAST, 'Recorded', async (_report, signal) => {
      const { release } = needed(session);
      const facts = await factsOf(needed(session), groups, ports, signal);
      const wrote = await finishRecord(await ports.cluster(), facts, new Date(), signal);
      const { name, version } = release.metadata;
      result = {
        release: name,
        version,
        site: facts.site,
        changed: changes,
        urls: facts.urls,
        hostsFile: hostsFileLines(facts.urls, ports.loaded.site.ingress?.addresses ?? []),
      };
      return { summary: wrote ? `${countText(facts.inventory.length, 'object')} in the cluster` : 'no change' };
    }),
  ];
  return {
    steps,
    result: () => needed(result),
    failure: (error) => {
      if (!isDeliverError(error)) return error;
      return error.with({ state: isTouched ? installState(changed, error.facts.state) : 'Nothing was changed.' });
    },
    close: async () => {
      try {
        await lock.release();
        await session?.bundle.close();
      } finally {
        await ports.close();
      }
    },
  };
}

/** `step push`, `steps runtime and push` */
function stepsText(steps: readonly string[]): string {
  return `${steps.length === 1 ? 'step' : 'steps'} ${steps.join(' and ')}`;
}

function journalled({ bundle, release }: ReleaseSession): { readonly root: Digest; readonly version: string } {
  return { root: bundle.root.digest, version: release.metadata.version };
}

async function factsOf(
  session: ReleaseSession,
  groups: readonly ReleaseGroup[],
  ports: SitePorts,
  signal: AbortSignal,
): Promise<RecordFacts> {
  const { name, version } = session.release.metadata;
  const inventory = await inventoryOf(groups, await ports.cluster(), signal);
  return {
    name,
    version,
    root: session.bundle.root.digest,
    site: ports.loaded.site.metadata.name,
    inventory,
    urls: await releaseUrls(session, ports, signal),
    trust: recordedTrust(session.trust),
  };
}
