import { countText } from '../core/amounts.ts';
import type { Flow, Step } from '../core/report.ts';
import { failedChecks } from '../site/check/preflight.ts';
import type { Check } from './plan/types.ts';
import { trustRelease, trustSummary, type ReleaseInput, type ReleaseSession } from './release-session.ts';
import { preflightSummary, runPreflights } from './preflight/site.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep } from './install/site-step.ts';

export interface DoctorResult {
  readonly site: string;
  /** Names of all hosts, in the order of the site file. */
  readonly hosts: readonly string[];
  /** The release that the site was looked at for. */
  readonly release?: { readonly name: string; readonly version: string; readonly kubernetes?: string };
  readonly checks: readonly Check[];
  readonly passed: number;
  readonly warned: number;
  readonly failed: number;
}

/** `deliver doctor`: the preflights of plan and install alone; what fails is the answer, not an error. Changes nothing. */
export function doctorFlow(input: ReleaseInput | undefined, ports: SitePorts): Flow<DoctorResult> {
  let session: ReleaseSession | undefined;
  let result: DoctorResult | undefined;
  const { site } = ports.loaded;
  const hosts = (site.hosts ?? []).map(({ name }) => name);
  const state = (): string => 'Nothing was changed.';
  const trust = (release: ReleaseInput): Step =>
    siteStep(
      ports,
      'trust',
      'Trusted',
      async (report, signal) => {
        session = await trustRelease(release, ports, report, signal);
        return { summary: trustSummary(session) };
      },
      { state },
    );
  const look = siteStep(
    ports,
    'preflight',
    'Preflight',
    async (report, signal) => {
      const { checks } = await runPreflights(session, ports, report, signal);
      const count = (outcome: Check['outcome']): number => checks.filter((check) => check.outcome === outcome).length;
      const failed = failedChecks(checks).length;
      result = {
        site: site.metadata.name,
        hosts,
        ...(session === undefined ? {} : { release: releaseOf(session) }),
        checks,
        passed: count('pass'),
        warned: count('warn'),
        failed,
      };
      const summary = preflightSummary(checks, hosts.length);
      return { summary: failed === 0 ? summary : `${summary}, ${countText(failed, 'failure')}` };
    },
    { state, last: () => session?.bundle.close() },
  );
  return { steps: input === undefined ? [look] : [trust(input), look], result: () => needed(result) };
}

function releaseOf({ release }: ReleaseSession): NonNullable<DoctorResult['release']> {
  const { name, version } = release.metadata;
  return { name, version, ...(release.kubernetes === undefined ? {} : { kubernetes: release.kubernetes.version }) };
}
