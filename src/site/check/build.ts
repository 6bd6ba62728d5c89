import { certificateChecks } from './certificates.ts';
import type { Check } from './check.ts';
import type { BuildFacts } from './facts.ts';
import { kernelChecks } from './kernel.ts';
import { leftoverChecks } from './leftovers.ts';
import { machineChecks, platformChecks } from './machine.ts';
import type { BuildNeeds, HostDuty } from './needs.ts';
import { networkChecks } from './network.ts';
import { storageChecks } from './storage.ts';

/** Every check of one host that deliver builds on, from what its probe found. */
export function buildChecks(host: string, platform: string, facts: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check[] {
  return [
    ...platformChecks(host, platform, duty, needs),
    ...machineChecks(host, facts, duty, needs),
    ...kernelChecks(host, facts, duty, needs),
    ...storageChecks(host, facts, duty),
    ...networkChecks(host, facts, duty, needs),
    ...leftoverChecks(host, facts, duty, needs),
    ...certificateChecks(host, facts, needs.certificateDays),
  ];
}
