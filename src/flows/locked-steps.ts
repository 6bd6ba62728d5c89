import type { ErrorCode } from '../core/error-codes.ts';
import { isDeliverError } from '../core/errors.ts';
import type { Report, Step, StepResult } from '../core/report.ts';
import { buildsKubernetes } from '../site/kubeadm/settings.ts';
import { InstallLock } from './install/install-lock.ts';
import { siteStep, type SiteStepOptions } from './install/site-step.ts';
import type { SitePorts } from './site-ports.ts';

/** Somebody else is at work, or this run ends anyway. */
const NO_WAY_ON: ReadonlySet<ErrorCode> = new Set(['E_SITE_BUSY', 'E_INTERRUPTED', 'E_BUG']);

type MakeStep = (
  id: string,
  title: string,
  work: (report: Report, signal: AbortSignal) => Promise<StepResult>,
  options?: SiteStepOptions,
) => Step;

/**
 * Makes the steps of a verb that changes a site without a release: each as `siteStep` makes it, and the lock of the site is held
 * from before the first one until the end, however that comes.
 */
export function lockedSteps(ports: SitePorts): MakeStep {
  const lock = new InstallLock();
  let asked = false;
  return (id, title, work, options = {}) =>
    siteStep(
      ports,
      id,
      title,
      async (report, signal) => {
        let goesOn = false;
        try {
          if (!asked) await takeIfThere(lock, ports, report, signal);
          asked = true;
          const done = await work(report, lock.guard(signal));
          // Whoever asked to stop gets no further step.
          goesOn = options.last === undefined && !signal.aborted;
          return done;
        } finally {
          if (!goesOn) await lock.release();
        }
      },
      options,
    );
}

/**
 * These verbs mend sites, so they also work where no cluster answers or lets anybody in: then nothing is locked, and that is said
 * where there should be one. @throws DeliverError E_SITE_BUSY
 */
async function takeIfThere(lock: InstallLock, ports: SitePorts, report: Report, signal: AbortSignal): Promise<void> {
  const { site } = ports.loaded;
  const isOurs = buildsKubernetes(site);
  if (site.cluster === undefined && !isOurs) return;
  try {
    await lock.take(await ports.cluster(), report, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isDeliverError(error) || NO_WAY_ON.has(error.code)) throw error;
    // One that deliver is to make leaves no kubeconfig before it is made.
    if (isOurs && error.code === 'E_KUBECONFIG') return;
    report.note(`! This site is not locked: ${error.facts.what} Make sure that nobody else works on it.`);
  }
}
